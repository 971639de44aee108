/** A finding, and a text that brings it about. */
import type { DiagnosticCode, Level } from '../../../src/config/diagnostic.js';
import type { Given } from '../../helpers/mesh-files.js';

export type FindingCase = {
  readonly code: DiagnosticCode;
  readonly why: string;
  /** `§` marks the place that the finding is told at. */
  readonly text: string | Readonly<Record<string, string>>;
  /** Where it is not the level that the code has. */
  readonly level?: Level;
  readonly given?: Given;
};

/** Reads mesh files from disk. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf, RmtopError } from '../errors.js';
import type { Text } from './documents.js';
import { type LoadedMesh, loadTexts, type MeshOptions } from './mesh.js';

const EXTENSIONS = new Set(['.yaml', '.yml', '.json']);

/**
 * Loads files and folders (`*.yaml`, `*.yml`, `*.json` at any depth, in the order of their names); `-` is stdin. Mistakes in them are
 * diagnostics of the result; throws FILE_UNREADABLE only where a path cannot be read at all.
 */
export function loadMesh(paths: readonly string[], options: MeshOptions): LoadedMesh {
  const texts = paths.flatMap(readTexts);
  return loadTexts(texts, options, readOther);
}

function readTexts(given: string): Text[] {
  if (given === '-') return [{ file: '<stdin>', text: read(0, 'stdin') }];
  let isFolder: boolean;
  try {
    isFolder = statSync(given).isDirectory();
  } catch (error) {
    throw unreadable(given, error);
  }
  if (!isFolder) return [{ file: given, text: read(given, given) }];
  const files = filesUnder(given);
  if (files.length === 0) {
    throw new RmtopError('FILE_UNREADABLE', `${given} holds no *.yaml, *.yml or *.json`, {
      next: ['give a file, or the folder your YAML is in'],
    });
  }
  return files.map((file) => ({ file, text: read(file, file) }));
}

function filesUnder(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    throw unreadable(folder, error);
  }
  return names
    .filter(
      (name) =>
        EXTENSIONS.has(path.extname(name).toLowerCase()) &&
        !name.split(path.sep).some((part) => part.startsWith('.') || part === 'node_modules'),
    )
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .sort();
}

function read(file: string | number, name: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(name, error);
  }
}

function unreadable(name: string, error: unknown): RmtopError {
  return new RmtopError('FILE_UNREADABLE', `${name} cannot be read`, { why: messageOf(error) });
}

/** A file that a DataSource names: it is often there only in the pod. */
function readOther(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** The lines as they are: what a recording is. */
import type { Exporter } from '../exporters.js';

export const json: Exporter = {
  name: 'json',
  help: 'the records themselves, one JSON object a line',
  head: '',
  entry: (entry) => `${entry.text}\n`,
};

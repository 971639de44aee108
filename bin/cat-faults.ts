/** `rmtop cat --faults mesh`: the fault rules of recordings as the mesh would have them. */
import { exportFaults, FaultRules, serviceHost } from 'rmtop';
import { type Output, openFile, say, sayCondition } from './recording-files.js';

/** Prints one RedisService for all `files`; what the mesh cannot do goes to stderr. */
export async function catFaults(
  files: readonly string[],
  strict: boolean,
  out: Output,
): Promise<void> {
  const found = new FaultRules();
  let label = '';
  for (const file of files) {
    const reader = await openFile(file, strict);
    if (label === '' && typeof reader.header.up === 'string') label = reader.header.up;
    for await (const entries of reader.batches())
      for (const { event } of entries) if (event !== null) found.add(event);
    sayCondition(file, reader.summary());
  }
  const { host, isKnown } = serviceHost(label);
  const { faults, rules } = found;
  const { yaml, left } = exportFaults({ host, faults, rules });
  for (const { id, why } of left) say(`rmtop: ${id} is left out: ${why}`);
  if (faults.length + rules.length === 0) say('rmtop: no fault rule was on');
  if (yaml === '') return;
  if (!isKnown) say(`rmtop: spec.host is an example: the recording does not name its service`);
  await out.write(yaml);
}

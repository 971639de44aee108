#!/usr/bin/env node
/** Checks Node, says that this is production (React's development build paints 2.7 times slower), and only then imports the rest. */
import { setFlagsFromString } from 'node:v8';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  process.stderr.write(
    `error[NODE]: rmtop needs Node.js 20.20 or newer; this is ${process.versions.node}\n`,
  );
  process.exit(64);
}
process.env.NODE_ENV = 'production';
/*
 * V8 makes objects in its old space from the start, for good, at places whose objects once lived long: a client that begins with a burst
 * of ten thousand commands has it do so with every Decision. Each then waits for a full collection: 30 ms a second in which no command
 * is answered, half as much CPU again a command, and 18 ms instead of 7 at the 99th percentile of 50,000 commands a second.
 */
setFlagsFromString('--no-allocation-site-pretenuring');
/*
 * What a command goes through is many small functions, more than V8 puts into one by itself: with room for them a command takes 6 % less
 * of a processor (bench, pipeline 16).
 */
setFlagsFromString('--max-inlined-bytecode-size-cumulative=2500');
const { main } = await import('./program.js');
await main(process.argv);

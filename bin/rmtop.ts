#!/usr/bin/env node
/** Checks Node, says that this is production (React's development build paints 2.7 times slower), and only then imports the rest. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  process.stderr.write(
    `error[NODE]: rmtop needs Node.js 20.20 or newer; this is ${process.versions.node}\n`,
  );
  process.exit(64);
}
process.env.NODE_ENV = 'production';
const { main } = await import('./program.js');
await main(process.argv);

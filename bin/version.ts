/** The package's version. */
export { packageVersion as version } from 'rmtop';

/** What settings files do not hold, for they are shared, copied and pasted: neither read from them nor written to them. */

/** Whether a setting of this name would be a secret. */
export function isSecretName(name: string): boolean {
  return /pass|secret|token|^auth$/i.test(name);
}

/** Whether there is an address with a password in `text`: `redis://:hunter2@host`. */
export function hasPassword(text: string): boolean {
  return /:\/\/[^/\s]*:[^/\s]*@/.test(text);
}

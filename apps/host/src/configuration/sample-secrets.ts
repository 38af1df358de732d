// Words of examples. Whoever copies one of them has a secret that everybody knows.
const samples = new Set([
  "changeme",
  "changeit",
  "replaceme",
  "secret",
  "mysecret",
  "yoursecret",
  "topsecret",
  "supersecret",
  "password",
  "token",
  "yourtoken",
  "apikey",
  "yourapikey",
  "yourkey",
  "example",
  "sample",
  "placeholder",
  "todo",
  "xxx",
  "test",
]);

/** True for a value out of an example, or one that is a single character over and over. */
export function isSampleSecret(value: string): boolean {
  const bare = value.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return samples.has(bare) || /^(changeme|replaceme|yoursecret|examplesecret)/.test(bare) || /^(.)\1*$/.test(value);
}

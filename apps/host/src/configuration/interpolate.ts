export type Environment = Readonly<Record<string, string | undefined>>;

export interface Interpolated {
  readonly text: string;
  /** Names of the variables that were put in. */
  readonly variables: readonly string[];
  /** What could not be put in, one sentence each. */
  readonly problems: readonly string[];
}

const pattern = /\$\$\{|\$\{([^}]*)\}?/g;

/** Puts environment variables in for `${NAME}`. `$${` stands for a literal `${`. */
export function interpolate(text: string, environment: Environment): Interpolated {
  const variables: string[] = [];
  const problems: string[] = [];
  const replaced = text.replaceAll(pattern, (whole, name: string | undefined) => {
    if (whole === "$${") return "${";
    if (name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || !whole.endsWith("}")) {
      problems.push("has a ${...} that names no environment variable. Write ${NAME}, or $${ for the characters themselves");
      return "";
    }
    const value = environment[name];
    if (value === undefined || value === "") {
      problems.push(`needs the environment variable ${name}, which is ${value === undefined ? "not set" : "empty"}`);
      return "";
    }
    variables.push(name);
    return value;
  });
  return { text: replaced, variables, problems };
}

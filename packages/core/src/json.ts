/** A value that survives `JSON.parse(JSON.stringify(value))` unchanged. Provider state and deliveries are made of it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

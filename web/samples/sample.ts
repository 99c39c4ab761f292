/** A job that anybody can try: what the New job page fills its form with, and what the demo submits. */
export interface Sample {
  readonly id: string;
  readonly name: string;
  /** One sentence for the button. */
  readonly about: string;
  /** What one looks at when it is done; absent for bare templates. */
  readonly picture?: string;
  /** Whose data it is. */
  readonly source?: string;
  /** An ES module; runs in the sandbox, so it sees nothing but its arguments. */
  readonly code: string;
  readonly reduce: string | null;
  readonly args: unknown;
  /** A shipped text that becomes one of the arguments. */
  readonly argsFile?: { readonly path: string; readonly key: string };
  readonly input:
    | { readonly kind: 'file'; readonly path: string; readonly fileName: string; readonly chunkBytes?: number }
    | { readonly kind: 'lines'; readonly text: string }
    | { readonly kind: 'range'; readonly range: readonly [first: number, end: number] };
}

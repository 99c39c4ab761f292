// One thing that a browser may tell about the machine. Each is a file of its own (machine-*.ts): most browsers have only some of them.

export interface Sensor<T> {
  /** null while it is not known, or where the browser does not tell. */
  read(): T | null;
  stop(): void;
}

/** Begins to watch; `changed` when `read` answers something else. Never throws, whatever the browser lacks or refuses. */
export type Sense<T> = (changed: () => void) => Sensor<T>;

export const nothingToRead: Sensor<never> = { read: () => null, stop: () => undefined };

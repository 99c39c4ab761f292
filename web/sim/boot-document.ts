// The boot document that tabs get. Read from here, as deep as the bundle of the simulator lies.
import { readFileSync } from 'node:fs';

export const bootDocument = readFileSync(new URL('../../public/boot.xml', import.meta.url), 'utf8');

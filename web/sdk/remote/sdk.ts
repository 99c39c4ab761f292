// /sdk.js: all that a page of another origin imports, in one file without dependencies.
export { connect } from './connect.ts';
export { ItemError, LullError } from '../errors.ts';

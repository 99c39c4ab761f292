// What the code does with its `task`, by its syntax tree: which names are the task, which of its members are asked for and how they are
// called. The members and what they take are those of the declared type. Pure.
import type { syntaxTree } from '@codemirror/language';
import type { TaskMember, TaskParameter } from 'virtual:task-members';
import type { Remark } from './task-help.ts';

export type Tree = ReturnType<typeof syntaxTree>;
type Node = Tree['topNode'];

/** A member that is asked for somewhere: `log` in `task.log(1)`, or in `const { log } = task`. */
interface Asked {
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

export interface TaskReading {
  readonly remarks: readonly Remark[];
  /** Whether the name that ends at `at` stands for the task. */
  isTask(from: number, to: number): boolean;
  /** The member whose name stands at `at`. */
  memberAt(at: number): (Asked & { readonly member: TaskMember }) | undefined;
}

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunction', 'MethodDeclaration']);
const scopes = new Set([...functions, 'Block', 'ForStatement', 'CatchClause', 'Script']);

export function readTask(tree: Tree, text: string, members: readonly TaskMember[]): TaskReading {
  const of = (node: Node) => text.slice(node.from, node.to);
  /** By scope and name: where the name is made. */
  const made = new Map<string, number>();
  const calls: Node[] = [];
  const memberExpressions: Node[] = [];
  const declarations: Node[] = [];
  const assignments: Node[] = [];
  const functionsSeen: Node[] = [];
  tree.iterate({
    enter: ({ name, node }) => {
      if (name === 'VariableDefinition') made.set(`${scopeOf(node).from} ${of(node)}`, node.from);
      else if (name === 'CallExpression') calls.push(node);
      else if (name === 'MemberExpression') memberExpressions.push(node);
      else if (name === 'VariableDeclaration') declarations.push(node);
      else if (name === 'AssignmentExpression') assignments.push(node);
      else if (functions.has(name)) functionsSeen.push(node);
    },
  });

  /** Where the name that is used here is made; undefined where the code does not make it. */
  const madeAt = (node: Node): number | undefined => {
    const name = of(node);
    for (let scope: Node | null = node; scope !== null; scope = scope.parent) {
      const at = scopes.has(scope.name) ? made.get(`${scope.from} ${name}`) : undefined;
      if (at !== undefined) return at;
    }
    return undefined;
  };

  /** Places where a name for the task is made, and where a name for one of its members is. */
  const tasks = new Set<number>();
  const taken = new Map<number, string>();
  const asked: Asked[] = [];
  const remarks: Remark[] = [];

  /** The pattern is given the task. */
  const bind = (pattern: Node) => {
    if (pattern.name === 'VariableDefinition') tasks.add(pattern.from);
    if (pattern.name !== 'ObjectPattern') return;
    for (const property of pattern.getChildren('PatternProperty')) {
      const key = property.getChild('PropertyName') ?? property.getChild('VariableDefinition');
      if (key === null || of(property).startsWith('...')) continue;
      asked.push({ from: key.from, to: key.to, name: of(key) });
      const variable = property.getChild('VariableDefinition');
      if (variable !== null) taken.set(variable.from, of(key));
    }
  };

  const main = mainFunction(tree, of, functionsSeen);
  for (const each of functionsSeen) {
    const parameters = parametersOf(each);
    for (const [place, parameter] of parameters.entries())
      if ((each.from === main?.from && place === 1) || (parameter.name === 'VariableDefinition' && of(parameter) === 'task'))
        bind(parameter);
    if (each.from === main?.from && parameters.length > 2)
      remarks.push({
        ...spanOf(parameters[2]!),
        severity: 'warning',
        message: 'The code is called with two arguments, the item and the task.',
      });
  }
  const isTask = (node: Node) => {
    const at = node.name === 'VariableName' ? madeAt(node) : undefined;
    return at !== undefined && tasks.has(at);
  };
  for (const declaration of declarations)
    for (const [pattern, value] of initialised(declaration)) if (value.name === 'VariableName' && isTask(value)) bind(pattern);

  /** What the expression asks of the task: `task.log`, or `log` where that was taken out of it. */
  const memberOf = (expression: Node): Asked | undefined => {
    if (expression.name === 'VariableName') {
      const at = madeAt(expression);
      const name = at === undefined ? undefined : taken.get(at);
      return name === undefined ? undefined : { ...spanOf(expression), name };
    }
    const [object, property] = [expression.firstChild, expression.getChild('PropertyName')];
    return expression.name !== 'MemberExpression' || object === null || property === null || !isTask(object)
      ? undefined
      : { ...spanOf(property), name: of(property) };
  };
  for (const expression of memberExpressions) {
    const found = memberOf(expression);
    if (found !== undefined) asked.push(found);
  }
  const known = (name: string) => members.find((member) => member.name === name);
  for (const { name, ...span } of asked)
    if (known(name) === undefined) remarks.push({ ...span, severity: 'error', message: unknownMember(name, members) });
  for (const call of calls) {
    const found = call.firstChild === null ? undefined : memberOf(call.firstChild);
    const member = found === undefined ? undefined : known(found.name);
    if (found === undefined || member === undefined) continue;
    const list = call.getChild('ArgList');
    const message = list === null ? undefined : wrongCall(member, argumentsOf(list));
    if (message !== undefined) remarks.push({ from: found.from, to: call.to, severity: 'error', message });
  }
  for (const assignment of assignments) {
    const target = assignment.firstChild;
    const found = target?.name === 'MemberExpression' ? memberOf(target) : undefined;
    if (found !== undefined && known(found.name) !== undefined)
      remarks.push({ ...spanOf(target!), severity: 'error', message: `task.${found.name} cannot be set.` });
  }

  return {
    remarks: remarks.toSorted((a, b) => a.from - b.from),
    isTask: (from, to) => {
      const node = tree.resolveInner(to, -1);
      return node.from === from && isTask(node);
    },
    memberAt: (at) => {
      const found = asked.find(({ from, to }) => from <= at && at <= to) ?? takenAt(tree, at, memberOf);
      const member = found === undefined ? undefined : known(found.name);
      return found === undefined || member === undefined ? undefined : { ...found, member };
    },
  };
}

const spanOf = ({ from, to }: Node) => ({ from, to });

/** A use of a name that was taken out of the task. */
const takenAt = (tree: Tree, at: number, memberOf: (node: Node) => Asked | undefined) => {
  const node = tree.resolveInner(at, 1);
  return node.name === 'VariableName' ? memberOf(node) : undefined;
};

/** The scope in which a definition makes its name: a parameter's is its function, a function's own name lies around it. */
function scopeOf(definition: Node): Node {
  let node = definition.parent!;
  if (node.name === 'FunctionDeclaration') node = node.parent!;
  while (!scopes.has(node.name) && node.parent !== null) node = node.parent;
  return node;
}

/** The patterns of its parameters, in order. */
function parametersOf(fn: Node): Node[] {
  const list = fn.getChild('ParamList');
  const patterns: Node[] = [];
  let expected = true;
  for (let child = list?.firstChild ?? null; child !== null; child = child.nextSibling) {
    if (child.name === ',') expected = true;
    else if (expected && /^(?:VariableDefinition|ObjectPattern|ArrayPattern)$/.test(child.name)) {
      patterns.push(child);
      expected = false;
    }
  }
  return patterns;
}

/** What is exported as default, also where it is made before. */
function mainFunction(tree: Tree, of: (node: Node) => string, all: readonly Node[]): Node | undefined {
  const exported = tree.topNode.getChildren('ExportDeclaration').find((each) => each.getChild('default') !== null);
  const value = exported?.getChild('default')?.nextSibling;
  if (value === null || value === undefined) return undefined;
  if (value.name !== 'VariableName') return all.find(({ from }) => from === value.from);
  const name = of(value);
  return all.find((fn) => {
    const parent = fn.parent!;
    if (fn.name === 'FunctionDeclaration')
      return parent.name === 'Script' && fn.getChild('VariableDefinition') !== null && of(fn.getChild('VariableDefinition')!) === name;
    return (
      parent.name === 'VariableDeclaration' &&
      initialised(parent).some(([pattern, given]) => given.from === fn.from && of(pattern) === name)
    );
  });
}

/** `a = 1, { b } = c` as pairs of pattern and value. */
function initialised(declaration: Node): (readonly [pattern: Node, value: Node])[] {
  const pairs: (readonly [Node, Node])[] = [];
  let pattern: Node | undefined;
  for (let child = declaration.firstChild; child !== null; child = child.nextSibling) {
    if (/^(?:VariableDefinition|ObjectPattern|ArrayPattern)$/.test(child.name)) pattern = child;
    else if (child.name === 'Equals' && pattern !== undefined && child.nextSibling !== null) pairs.push([pattern, child.nextSibling]);
    else if (child.name === ',') pattern = undefined;
  }
  return pairs;
}

/** Null stands for what spreads: nobody knows how many that are. */
function argumentsOf(list: Node): (Node | null)[] {
  const given: (Node | null)[] = [];
  let spread = false;
  for (let child = list.firstChild; child !== null; child = child.nextSibling) {
    if (child.name === 'Spread') spread = true;
    else if (!/^[(),]$|Comment$/.test(child.name)) {
      given.push(spread ? null : child);
      spread = false;
    }
  }
  return given;
}

const literals: Readonly<Record<string, string>> = {
  Number: 'number',
  String: 'string',
  TemplateString: 'string',
  BooleanLiteral: 'boolean',
  null: 'null',
  ArrayExpression: 'list',
  ObjectExpression: 'object',
  ArrowFunction: 'function',
  FunctionExpression: 'function',
  RegExp: 'regular expression',
};

/** What is wrong with a call of the member; undefined where nothing can be said against it. */
function wrongCall({ name, type, parameters }: TaskMember, given: readonly (Node | null)[]): string | undefined {
  if (parameters === null) return `task.${name} is not a function: it is ${type}.`;
  const spreads = given.includes(null);
  const least = parameters.filter(({ optional, rest }) => !optional && !rest).length;
  const most = parameters.some(({ rest }) => rest) ? Number.POSITIVE_INFINITY : parameters.length;
  const says = `task.${name} is ${type}`;
  if (!spreads && given.length < least) return `${says}: it is given ${given.length === 0 ? 'nothing' : `only ${given.length}`}.`;
  if (!spreads && given.length > most)
    return `${says}: it is given ${most === 0 ? `${given.length} where it takes nothing` : `${given.length}`}.`;
  for (const [place, node] of given.entries()) {
    if (node === null) return undefined;
    const parameter: TaskParameter | undefined = parameters[place];
    const literal = literals[node.name];
    if (
      parameter !== undefined &&
      /^(?:number|string|boolean)$/.test(parameter.type) &&
      literal !== undefined &&
      literal !== parameter.type
    )
      return `${says}: ${parameter.name} is a ${parameter.type}, not a ${literal}.`;
  }
  return undefined;
}

/** With the one that was probably meant. */
function unknownMember(name: string, members: readonly TaskMember[]): string {
  const near = members.find((member) => distance(member.name, name.toLowerCase()) <= Math.max(1, Math.floor(member.name.length / 3)));
  return near === undefined
    ? `task has no ${name}: it has ${members.map((each) => each.name).join(', ')}.`
    : `task has no ${name}. Did you mean ${near.name}?`;
}

/** Letters to put in, leave out or change: Levenshtein's. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(Math.min(before[j]! + 1, row[j - 1]! + 1, before[j - 1]! + Number(a[i - 1] !== b[j - 1])));
    before = row;
  }
  return before[b.length]!;
}

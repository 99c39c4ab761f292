// CodeMirror in a shadow root: there it adopts its style sheets, which the site's policy allows, instead of writing <style> elements.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  type Completion,
  type CompletionContext,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript, localCompletionSource, scopeCompletionSource } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { linter, lintKeymap, type Diagnostic } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { taskMembers } from 'virtual:task-members';
import { codeProblem, jsonOf } from './draft.ts';
import { readTask, type TaskReading, type Tree } from './task-check.ts';
import { remarksOn, sandboxScope, type NameSeen } from './task-help.ts';

const look = EditorView.theme({
  '&': {
    font: '13px / 1.55 var(--mono)',
    color: 'var(--ink)',
    background: 'var(--bg)',
    border: '1px solid var(--edge)',
    borderRadius: '9px',
    height: '100%',
    overflow: 'hidden',
  },
  '&.cm-focused': { outline: '2px solid var(--tide-ink)', outlineOffset: '2px' },
  '&.wrong': { borderColor: 'var(--coral)' },
  '.cm-scroller': { fontFamily: 'inherit', lineHeight: 'inherit', minHeight: 'var(--code-height)' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--tide-soft)' },
  '.cm-gutters': { background: 'transparent', border: '0', color: 'var(--mute)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { background: 'var(--tide-soft)', outline: '1px solid var(--tide-half)' },
  '.cm-tooltip': {
    background: 'var(--panel)',
    color: 'var(--ink)',
    border: '1px solid var(--edge)',
    borderRadius: '9px',
    maxWidth: '420px',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { font: '13px / 1.5 var(--mono)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--tide-soft)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--mute)', fontStyle: 'normal' },
  '.cm-completionInfo, .cm-help': { padding: '6px 10px', font: '13px / 1.45 system-ui, sans-serif' },
  '.cm-help code': { font: '13px / 1.5 var(--mono)', display: 'block' },
  '.cm-diagnostic': { padding: '5px 10px', font: '13px / 1.45 system-ui, sans-serif', border: '0' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--coral)' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--dusk)' },
  '.cm-lintRange-info': { backgroundImage: 'none', textDecoration: 'underline dotted var(--tide)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--coral-ink)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--tide-ink)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--dusk-ink)' },
  { tag: tags.comment, color: 'var(--mute)', fontStyle: 'italic' },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.function(tags.variableName))], fontWeight: '600' },
]);

/** Read once for each state of the text: completion, help and the checks look at the same. */
let lastRead: { readonly tree: Tree; readonly reading: TaskReading } | undefined;
function readingOf(state: EditorState): TaskReading {
  const tree = syntaxTree(state);
  if (lastRead?.tree !== tree) lastRead = { tree, reading: readTask(tree, state.doc.toString(), taskMembers) };
  return lastRead.reading;
}

const completions = taskMembers.map(({ name, type, about, parameters }): Completion => ({
  label: name,
  detail: parameters === null ? `: ${type}` : type.replace(/ => .*/, ''),
  info: about,
  type: parameters === null ? 'property' : 'function',
  boost: 1,
}));

/** What may follow the task's name and a point, whatever the code calls it. */
function completeTask(context: CompletionContext) {
  const before = context.matchBefore(/[\w$]+\??\.\w*/);
  if (before === null) return null;
  const name = /^[\w$]+/.exec(before.text)![0];
  if (!readingOf(context.state).isTask(before.from, before.from + name.length)) return null;
  return { from: before.from + before.text.lastIndexOf('.') + 1, options: completions, validFor: /^\w*$/ };
}

const completeGlobals = scopeCompletionSource(sandboxScope());

const helpOfTask = hoverTooltip((view, at) => {
  const found = readingOf(view.state).memberAt(at);
  if (found === undefined) return null;
  const { from, to, member } = found;
  return {
    pos: from,
    end: to,
    create: () => {
      const dom = document.createElement('div');
      dom.className = 'cm-help';
      const type = document.createElement('code');
      type.textContent = `task.${member.name}: ${member.type}`;
      dom.append(type, member.about);
      return { dom };
    },
  };
});

/**
 * Typing over a selection. Left to itself Chromium carries the style of what was there along as an inline style, which the site's policy refuses
 * with an error. Brackets and quotes are left to what puts them around a selection.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { data, inputType } = event;
    if (inputType !== 'insertText' || data === null || view.composing || view.state.selection.main.empty) return false;
    if (/^[([{'"`]$/.test(data)) return false;
    event.preventDefault();
    view.dispatch({ ...view.state.replaceSelection(data), userEvent: 'input.type', scrollIntoView: true });
    return true;
  },
});

/** What is wrong with the code, by its syntax and by the names it uses; with what is no module, whether it is JSON. */
function check(view: EditorView, shape: string | null): Diagnostic[] {
  const { doc } = view.state;
  const text = doc.toString();
  const found: Diagnostic[] = [];
  if (shape === null) {
    const json = jsonOf(text);
    return 'sentence' in json ? [{ from: 0, to: doc.length, severity: 'error', message: json.sentence }] : [];
  }
  const names: NameSeen[] = [];
  const declared = new Set<string>();
  syntaxTree(view.state).iterate({
    enter: ({ name, from, to, type, node }) => {
      if (type.isError && found.length < 3)
        found.push({
          from: Math.max(0, Math.min(from, doc.length - 1)),
          to: Math.min(doc.length, Math.max(to, from + 1)),
          severity: 'error',
          message: 'This cannot be read as JavaScript.',
        });
      else if (name === 'VariableDefinition') declared.add(text.slice(from, to));
      else if (name === 'VariableName') names.push({ name: text.slice(from, to), from, to, of: null });
      else if (name === 'PropertyName' && node.parent?.name === 'MemberExpression') {
        const object = node.parent.firstChild;
        names.push({ name: text.slice(from, to), from, to, of: object?.name === 'VariableName' ? text.slice(object.from, object.to) : '' });
      }
    },
  });
  const problem = text.trim() === '' || found.length > 0 ? null : codeProblem(text, shape);
  if (problem !== null) found.push({ from: 0, to: Math.min(doc.length, doc.line(1).to), severity: 'error', message: problem });
  return [...found, ...remarksOn(names, declared), ...readingOf(view.state).remarks];
}

export interface CodeEditorProps {
  readonly label: string;
  readonly value: string;
  readonly lines: number;
  readonly wrong: boolean;
  readonly hint: string;
  /** What a module must export; null where anything may stand. */
  readonly shape: string | null;
  readonly onChange: (value: string) => void;
}

/** Tab indents; after Escape it moves on, so that nobody is caught in it. */
export function CodeEditor({ label, value, lines, wrong, hint, shape, onChange }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  useEffect(() => {
    const element = host.current!;
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open', delegatesFocus: true });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: value,
        extensions: [
          look,
          syntaxHighlighting(colours),
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          indentUnit.of('  '),
          bracketMatching(),
          closeBrackets(),
          javascript(),
          // What is no module (JSON) has nothing to complete.
          shape === null
            ? []
            : [autocompletion({ override: [completeTask, localCompletionSource, completeGlobals], icons: false }), helpOfTask],
          typeOver,
          linter((current) => check(current, shape), { delay: 400 }),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap, indentWithTab]),
          EditorView.contentAttributes.of({
            'aria-label': label,
            'aria-description': hint,
            // It has the focus anyway; this says so to who looks for what can be scrolled with keys.
            tabindex: '0',
            spellcheck: 'false',
            autocapitalize: 'off',
            autocorrect: 'off',
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
    // oxlint-disable-next-line react/exhaustive-deps -- the editor holds its text itself; what comes from outside is put in below
  }, [label, hint, shape]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    if (editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    editor.dom.classList.toggle('wrong', wrong);
    editor.contentDOM.setAttribute('aria-invalid', String(wrong));
  }, [value, wrong]);
  return <div ref={host} className={lines > 8 ? 'code-editor tall' : 'code-editor'} data-wrong={wrong} />;
}

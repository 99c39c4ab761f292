// A question before something that cannot be taken back, or that moves the person elsewhere.
import { useId, useLayoutEffect, useRef, type FormEvent, type ReactNode } from 'react';
import { useCommand } from '../shell/deps.ts';

/**
 * Modal: the rest of the page waits. Escape and "Not now" are `onNo`. `yes` is asked for once; what it rejects with is shown, and the
 * question stays. Mount it to ask, unmount it to stop asking.
 */
export function Confirm({
  title,
  action,
  no = 'Not now',
  yes,
  onNo,
  children,
}: {
  title: string;
  action: string;
  no?: string;
  yes: () => Promise<unknown>;
  onNo: () => void;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const { run, busy, problem } = useCommand();
  // Closed before it is taken away: then the browser gives the focus back to what had it.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run(yes);
  };
  return (
    <dialog
      ref={ref}
      className="card confirm"
      aria-labelledby={id}
      onCancel={(event) => {
        // React decides what is shown: the browser must not close it behind its back.
        event.preventDefault();
        onNo();
      }}
    >
      <form className="stack" onSubmit={submit} noValidate>
        <p id={id} className="confirm-title">
          {title}
        </p>
        {children}
        {problem === '' ? null : (
          <p className="sm wrong" role="alert">
            {problem}
          </p>
        )}
        <div className="actions">
          <button type="button" className="btn ghost" onClick={onNo}>
            {no}
          </button>
          <button type="submit" className="btn" disabled={busy}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}

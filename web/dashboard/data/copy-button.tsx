import { useEffect, useState } from 'react';

const shownMs = 2_000;

/** Copies `text`; says so in its own place, and to screen readers. */
export function CopyButton({
  label,
  text,
  describedBy,
  small = true,
}: {
  label: string;
  text: string;
  describedBy?: string;
  small?: boolean;
}) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => setSaid(''), shownMs);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setSaid('Copied'),
      () => setSaid('Not allowed'),
    );
  };
  return (
    <button
      type="button"
      className={small ? 'btn ghost small copy' : 'btn ghost copy'}
      aria-label={label}
      aria-describedby={describedBy}
      onClick={copy}
    >
      {/* Both words keep their place, so that nothing beside the button moves. */}
      <span className={said === '' ? '' : 'away'}>{label}</span>
      <span className={said === '' ? 'said away' : 'said'} role="status">
        {said}
      </span>
    </button>
  );
}

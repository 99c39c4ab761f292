import { useEffect, useState } from 'react';

/** Subset of IdleDetector: the browser asks the person. */
interface Asks {
  requestPermission(): Promise<string>;
}
const detector = (): Asks | undefined => (globalThis as { IdleDetector?: Asks }).IdleDetector;

/** Lets the browser tell whether somebody uses other programs, too; nothing where it cannot, or was told not to. */
export function PersonField() {
  const [permission, setPermission] = useState<string>('denied');
  useEffect(() => {
    if (detector() === undefined) return undefined;
    let status: PermissionStatus | undefined;
    let gone = false;
    const look = () => setPermission(status?.state ?? 'denied');
    navigator.permissions.query({ name: 'idle-detection' as PermissionName }).then(
      (found) => {
        if (gone) return;
        status = found;
        found.addEventListener('change', look);
        look();
      },
      () => undefined,
    );
    return () => {
      gone = true;
      status?.removeEventListener('change', look);
    };
  }, []);
  if (permission === 'granted') return <span className="sm mute">The browser tells when you use other programs, and Lull waits then.</span>;
  if (permission !== 'prompt') return null;
  return (
    <button
      className="link sm"
      type="button"
      onClick={() =>
        void detector()
          ?.requestPermission()
          .catch(() => undefined)
      }
    >
      Also wait while I use other programs
    </button>
  );
}

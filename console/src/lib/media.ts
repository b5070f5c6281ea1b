// What the browser and its system say of the window and of the person's wishes.

import { useEffect, useState } from 'react';

/** Whether a media query holds, and again whenever that changes. */
function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const media = window.matchMedia(query);
    const follow = () => setHolds(media.matches);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, [query]);
  return holds;
}

/** Whether the window is as narrow as a phone. */
export const useNarrow = () => useMedia('(max-width: 767px)');

/** Whether the system is dark. */
export const useSystemDark = () => useMedia('(prefers-color-scheme: dark)');

/** Whether the person asked the system for less movement. */
export const useStill = () => useMedia('(prefers-reduced-motion: reduce)');

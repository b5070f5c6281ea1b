import { expect, test, vi } from 'vitest';
import { again } from '../src/lib/again';

test('a part that did not come is asked for three times', async () => {
  const late = vi.fn().mockRejectedValueOnce(new Error('changed')).mockResolvedValue('here');
  await expect(again(late)).resolves.toBe('here');
  expect(late).toHaveBeenCalledTimes(2);
  const never = vi.fn().mockRejectedValue(new Error('gone'));
  await expect(again(never)).rejects.toThrow('gone');
  expect(never).toHaveBeenCalledTimes(3);
});

// The check digit of GB 11643 resident identity numbers (ISO 7064 MOD 11-2), so that a slip of the
// finger is told before anything is sent.

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const digits = '10X98765432';

export function validIDNumber(text: string): boolean {
  const number = text.toUpperCase();
  if (!/^\d{17}[\dX]$/.test(number)) return false;
  const sum = weights.reduce((total, weight, i) => total + weight * Number(number[i]), 0);
  return digits[sum % 11] === number[17];
}

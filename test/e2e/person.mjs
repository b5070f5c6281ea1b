// A person who does not exist: the identity number begins with a region that is issued to nobody.

import { randomBytes, randomInt } from 'node:crypto';

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** An adult's number with a right check digit (GB 11643). */
function idNumber() {
  const body = `11000019900307${String(randomInt(1000)).padStart(3, '0')}`;
  const sum = weights.reduce((total, weight, i) => total + weight * Number(body[i]), 0);
  return body + '10X98765432'[sum % 11];
}

export function somebody() {
  const name = `e2e-${randomBytes(4).toString('hex')}`;
  return {
    name,
    email: `${name}@example.test`,
    password: `${randomBytes(9).toString('base64url')}-Aa1`,
    realName: '张测试',
    idNumber: idNumber(),
  };
}

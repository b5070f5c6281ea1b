// The closed lists of tickets, in the order in which they are offered.

import type { Department, Ticket } from '../api/types';

export const departments: Department[] = ['technical', 'billing', 'account', 'sales', 'complaint'];

export const priorities: Ticket['priority'][] = ['urgent', 'high', 'normal', 'low'];

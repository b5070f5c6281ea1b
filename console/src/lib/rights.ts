// Whose rights the components about held data and requests are for: those of the owner of an account, or
// of a VPN user on the page of their own.

import { createContext, useContext } from 'react';
import { api } from '../api';

type Owner = Pick<
  typeof api.privacy,
  'held' | 'sheet' | 'requests' | 'request' | 'ask' | 'withdrawRequest' | 'fetchCopy'
> &
  Pick<typeof api.account, 'incidentNotices' | 'sawIncidentNotice'>;

export interface Rights extends Owner {
  /** A VPN user: without what is about accounts. */
  user: boolean;
  /** Where a report of misuse leads, which ends the session. */
  gate: string;
}

export const ownerRights: Rights = { ...api.privacy, ...api.account, user: false, gate: '/login' };

export const userRights: Rights = { ...api.vpnUser, user: true, gate: '/vpn-user' };

export const RightsOf = createContext<Rights>(ownerRights);

export const useRights = () => useContext(RightsOf);

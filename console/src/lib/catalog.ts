// What is sold and where, as most pages need it: names of regions and networks.

import { useQuery } from '@tanstack/react-query';
import { api } from '../api';
import type { Gateway, SSLServer, Text } from '../api/types';
import type { Language } from './prefs';
import { useSettings } from './settings';

export function textOf(text: Text, language: Language): string {
  return typeof text === 'string' ? text : (text[language] ?? Object.values(text)[0] ?? '');
}

export function useRegions() {
  return useQuery({ queryKey: ['regions'], queryFn: api.shop.regions, staleTime: 600_000 });
}

/** Tells a region's name by its id; the id itself until the names are here. */
export function useRegionName(): (id: string) => string {
  const { language } = useSettings();
  const regions = useRegions().data?.items ?? [];
  return (id) => {
    const region = regions.find((r) => r.id === id);
    return region ? textOf(region.name, language) : id;
  };
}

export function useNetworks() {
  return useQuery({ queryKey: ['networks'], queryFn: api.vpn.networks, staleTime: 600_000 });
}

/** Whether the SSL service was bought; without it a gateway takes no SSL server. */
export function hasSSL(gateway: Pick<Gateway, 'services'>): boolean {
  return gateway.services?.includes('ssl') ?? false;
}

/** The gateways, for names in other lists and for choices. */
export function useGateways() {
  return useQuery({ queryKey: ['gateways', 'all'], queryFn: () => api.vpn.gateways() });
}

export function useServers() {
  return useQuery({ queryKey: ['servers', 'all'], queryFn: () => api.vpn.servers() });
}

/** Whether a gateway has the one SSL server that it may have. */
export function hasServer(servers: Pick<SSLServer, 'gateway'>[] | undefined, gateway: string): boolean {
  return servers?.some((s) => s.gateway === gateway) ?? false;
}

export function useClients() {
  return useQuery({ queryKey: ['clients', 'all'], queryFn: () => api.vpn.clients() });
}

/** The uploaded certificates of one type, for choices. */
export function useCertificates(type: 'server' | 'client-ca') {
  return useQuery({
    queryKey: ['certificates', 'all', type],
    queryFn: () => api.vpn.certificates({ type, limit: 200 }),
  });
}

/** Tells the name of one of things by its id. */
export function nameIn(things: { id: string; name: string }[] | undefined, id: string): string {
  return things?.find((thing) => thing.id === id)?.name ?? id;
}

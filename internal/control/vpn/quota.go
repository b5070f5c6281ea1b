package vpn

import (
	"context"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
)

// Quota is how much of something an account uses, and may.
type Quota struct {
	// Name is "vpn_gateways", "ssl_gateways" or "certificates" of the account, "ssl_servers" or
	// "vpn_sessions" of a gateway, or one of an SSL server: "ssl_clients",
	// "local_subnets", "exclude_routes", "client_routes", "acl_rules",
	// "trusted_networks".
	Name     string
	Region   string // of vpn_gateways
	Resource string // gateway or server that it belongs to; empty: the account
	Label    string // that resource's name
	Used     int
	Limit    int
	Settable bool // staff can set it, and the account may ask for more
	Asked    int  // what the account asked for and nobody has decided; 0 = nothing
}

// Quotas counts what an account uses, with the limits that creation is held to:
// the same constants or rows, the same counting.
func (s *Service) Quotas(ctx context.Context, owner account.ID) ([]Quota, error) {
	all, err := s.quotasOfRegions(ctx, owner)
	if err != nil {
		return nil, err
	}
	of, err := s.quotasOfAccount(ctx, owner)
	if err != nil {
		return nil, err
	}
	all = append(all, of...)
	gateways, err := gatewaysOf(ctx, s.db, owner, Page{Limit: 500})
	if err != nil {
		return nil, err
	}
	for _, g := range gateways {
		part, err := s.quotasOfGateway(ctx, g)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all, s.readAsked(ctx, owner, all)
}

// readAsked fills in what can be set and what was asked for.
func (s *Service) readAsked(ctx context.Context, owner account.ID, all []Quota) error {
	open, err := s.QuotaRequests(ctx, owner)
	for i := range all {
		all[i].Settable = slices.Contains(AccountQuotas(), all[i].Name)
		for _, q := range open {
			if q.Name == all[i].Name {
				all[i].Asked = q.Wanted
			}
		}
	}
	return err
}

func (s *Service) quotasOfAccount(ctx context.Context, owner account.ID) ([]Quota, error) {
	ssl, err := countSSLGateways(ctx, s.db, owner)
	if err != nil {
		return nil, err
	}
	sslLimit, err := quotaOf(ctx, s.db, owner, QuotaSSLGateways, SSLGatewayQuota)
	if err != nil {
		return nil, err
	}
	uploaded, err := countUploaded(ctx, s.db, owner)
	if err != nil {
		return nil, err
	}
	limit, err := quotaOf(ctx, s.db, owner, QuotaCertificates, CertificateQuota)
	return []Quota{
		{Name: QuotaSSLGateways, Used: int(ssl), Limit: sslLimit},
		{Name: QuotaCertificates, Used: int(uploaded), Limit: limit},
	}, err
}

// quotasOfRegions has a row for every region in which the account may have
// gateways.
func (s *Service) quotasOfRegions(ctx context.Context, owner account.ID) (all []Quota, err error) {
	limit, err := quotaOf(ctx, s.db, owner, QuotaGateways, GatewayQuota)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, n := range s.Networks(ctx, owner, "") {
		if seen[n.Region] {
			continue
		}
		seen[n.Region] = true
		used, err := countGateways(ctx, s.db, owner, n.Region)
		if err != nil {
			return nil, err
		}
		all = append(all, Quota{Name: QuotaGateways, Region: n.Region, Used: int(used), Limit: limit})
	}
	return all, nil
}

func (s *Service) quotasOfGateway(ctx context.Context, g Gateway) ([]Quota, error) {
	servers, err := serversOfGateway(ctx, s.db, g.ID)
	if err != nil {
		return nil, err
	}
	live, err := s.fleet.Totals(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	most, err := g.quotaOfClients(ctx, s.db)
	if err != nil {
		return nil, err
	}
	all := []Quota{
		{Name: "ssl_servers", Resource: g.ID, Label: g.Name, Used: len(servers), Limit: g.quotaOfServers()},
		{Name: "vpn_sessions", Resource: g.ID, Label: g.Name, Used: live.Sessions, Limit: g.SSLConnections},
	}
	for _, srv := range servers {
		clients, err := clientsOfServer(ctx, s.db, srv.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, quotasOfServer(srv, clients, most)...)
	}
	return all, nil
}

func quotasOfServer(srv SSLServer, clients []SSLClient, most int) []Quota {
	routes := 0
	for _, c := range clients {
		routes += len(c.Routes)
	}
	all := []Quota{
		{Name: QuotaClients, Used: len(clients), Limit: most},
		{Name: "local_subnets", Used: len(srv.LocalSubnets), Limit: maxLocalSubnets},
		{Name: "exclude_routes", Used: len(srv.ExcludeRoutes), Limit: maxExcludeRoutes},
		{Name: "client_routes", Used: routes, Limit: maxRoutesPerServer},
		{Name: "acl_rules", Used: len(srv.ACLRules), Limit: MaxACLRules},
		{Name: "trusted_networks", Used: len(srv.TrustedNetworks), Limit: MaxTrustedNetworks},
	}
	for i := range all {
		all[i].Resource, all[i].Label = srv.ID, srv.Name
	}
	return all
}

// Restriction is what a value may be, whoever asks. Several of one name are
// ranges of which one must hold.
type Restriction struct {
	Name      string
	Low, High int64 // both included
	Unit      string
	Off       bool // 0 turns it off
}

// Restrictions lists the restrictions of use from where they are enforced, and
// the operator's settings as they are.
func (s *Service) Restrictions() []Restriction {
	all := []Restriction{
		{Name: "name_length", Low: nameShortest, High: MaxName, Unit: "characters"},
		{Name: "description", Low: 0, High: MaxDescription, Unit: "characters"},
		{Name: "ssl_bandwidth", Low: 1, High: maxBandwidth, Unit: "Mbit/s"},
		{Name: "ssl_connections", Low: 1, High: maxConnections},
		{Name: "clients_per_connection", Low: 0, High: clientsPerConnection},
		{Name: "pool_prefix", Low: poolWidest, High: poolLast, Unit: "bits"},
		{Name: "pool6_prefix", Low: pool6Widest, High: pool6Last, Unit: "bits"},
		{Name: "local_subnet_prefix", Low: subnetWidest, High: 32, Unit: "bits"},
		{Name: "local_subnet_prefix6", Low: subnetWidest6, High: 128, Unit: "bits"},
		{Name: "mtu_with_ipv6", Low: minMTU6, High: maxMTU},
		{Name: "gateway_subnets", Low: 0, High: MaxGatewaySubnets},
		{Name: "local_subnets", Low: 0, High: maxLocalSubnets},
		{Name: "exclude_routes", Low: 0, High: maxExcludeRoutes},
		{Name: "client_routes", Low: 0, High: maxRoutesPerClient},
		{Name: "acl_rules", Low: 0, High: MaxACLRules},
		{Name: "acl_ports", Low: 0, High: maxPortRanges},
		{Name: "acl_comment", Low: 0, High: maxComment, Unit: "characters"},
		{Name: "trusted_networks", Low: 0, High: MaxTrustedNetworks},
		{Name: "groups", Low: 0, High: maxGroups},
		{Name: "group_name", Low: 1, High: maxGroupName, Unit: "characters"},
		{Name: "group_label", Low: 1, High: maxGroupLabel, Unit: "characters"},
		{Name: "client_cas", Low: 0, High: maxClientCAs},
		{Name: "blocked_certificates", Low: 0, High: maxBlocks},
		{Name: "certificate_size", Low: 1, High: maxCertificatePEM, Unit: "bytes"},
		{Name: "certificate_chain", Low: 1, High: maxChain},
		{Name: "dns_servers", Low: 0, High: maxDNS},
		{Name: "split_dns", Low: 0, High: maxSplitDNS},
		{Name: "default_domains", Low: 0, High: maxDomains},
		{Name: "banner", Low: 0, High: maxBanner, Unit: "bytes"},
		{Name: "client_rate", Low: minRate / 1000, High: maxBandwidth * 1000, Unit: "kbit/s", Off: true},
		{Name: "traffic_quota", Low: 1, High: maxQuota, Unit: "bytes", Off: true},
		{Name: "password_length", Low: passwordShortest, High: passwordLongest, Unit: "characters"},
		{Name: "password_classes", Low: passwordClasses, High: 4},
		{Name: "batch_clients", Low: 1, High: BatchLimit},
	}
	for _, p := range ports {
		all = append(all, Restriction{Name: "port", Low: int64(p.From), High: int64(p.To)})
	}
	for _, n := range DefaultSettings().numbers() {
		all = append(all, Restriction{Name: n.name, Low: int64(n.low), High: int64(n.top), Off: n.off})
	}
	return append(all, Restriction{Name: "secret_ttl", High: int64(s.config.SecretTTL.Seconds()), Low: int64(s.config.SecretTTL.Seconds()), Unit: "s", Off: s.config.SecretTTL == 0})
}

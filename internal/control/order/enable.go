package order

import (
	"context"
	"maps"
	"strconv"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
)

// EnableRequest asks for a service that a VPN gateway was bought without.
type EnableRequest struct {
	Resource    string // vpngw-...
	Service     string // catalog.ServiceSSL or ServiceIPsec
	Bandwidth   int    // Mbit/s
	Connections int
}

// QuoteEnable prices a service that a gateway lacks, as the upgrade that it is:
// the order names the same options. ErrServiceNotOffered where the price list
// does not sell the service, ErrServiceThere where the gateway has it.
func (s *Service) QuoteEnable(ctx context.Context, owner account.ID, r EnableRequest) (Quote, error) {
	item, err := s.d.Services.Owned(ctx, s.d.DB, owner, r.Resource)
	if err != nil {
		return Quote{}, err
	}
	list, err := s.d.Catalog.Current(ctx, s.d.DB, item.Product, item.Region)
	if err != nil {
		return Quote{}, err
	}
	wanted := map[string]string{r.Service + "_bandwidth": strconv.Itoa(r.Bandwidth), r.Service + "_connections": strconv.Itoa(r.Connections)}
	for option, value := range wanted {
		if !list.Has(option) {
			return Quote{}, ErrServiceNotOffered
		}
		if value == catalog.Without {
			return Quote{}, catalog.ErrOption.With("option", option)
		}
	}
	if !lacks(item, maps.Keys(wanted)) {
		return Quote{}, ErrServiceThere
	}
	return s.Quote(ctx, QuoteRequest{Kind: KindUpgrade, Owner: owner, Resource: r.Resource, Options: wanted})
}

// lacks tells whether none of the options was bought.
func lacks(item service.Item, options func(func(string) bool)) bool {
	for o := range options {
		if has, bought := item.Options[o]; bought && has != catalog.Without {
			return false
		}
	}
	return true
}

// Package ownvpn fills the port service.Provider with our own VPN gateways.
//
// It is not for upstream providers. Options and configuration of the product
// vpn-gateway become limits, name and network of a gateway; the gateway's
// states become the provider's; the key of the creation is kept with the
// gateway, so that a repeat finds it.
package ownvpn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Provider makes VPN gateways.
type Provider struct{ vpn *vpn.Service }

// New returns the provider.
func New(v *vpn.Service) *Provider { return &Provider{v} }

// Watch tells observe the key of each gateway that came into another state.
// Call it once, before the queue runs: service.Service.Observe is what it is
// for.
func (p *Provider) Watch(q *job.Queue, observe func(ctx context.Context, key string) error) {
	job.Subscribe(q, vpn.TopicChanged, "ownvpn", func(ctx context.Context, e vpn.Changed) error {
		key, err := p.vpn.KeyOf(ctx, e.Gateway)
		if errs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return observe(ctx, key)
	})
}

// ErrOption says that what was bought cannot be read.
var ErrOption = errs.New(errs.Unprocessable, "service.option_invalid")

// Create makes a gateway, or returns the one that the key made.
func (p *Provider) Create(ctx context.Context, key string, spec service.Spec) (service.Status, error) {
	in, err := wanted(spec)
	if err != nil {
		return service.Status{}, err
	}
	in.Key = key
	g, err := p.vpn.Create(ctx, in)
	if errors.Is(err, vpn.ErrNameDuplicate) {
		// Paid for: a name that was taken since the order is no reason to fail,
		// the customer can rename.
		sum := sha256.Sum256([]byte(key))
		in.Name = cut(in.Name, vpn.MaxName-7) + "-" + hex.EncodeToString(sum[:3])
		g, err = p.vpn.Create(ctx, in)
	}
	if err != nil {
		return service.Status{}, err
	}
	return status(g), nil
}

// cut returns at most n characters of s.
func cut(s string, n int) string {
	all := []rune(s)
	return string(all[:min(len(all), n)])
}

// Check says why a gateway as asked for could not be made now; nil if it
// could. It fills order.Goods: better to refuse an order than to refund it.
func (p *Provider) Check(ctx context.Context, spec service.Spec) error {
	in, err := wanted(spec)
	if err != nil {
		return err
	}
	return p.vpn.Check(ctx, in)
}

// CheckUpgrade says why a gateway could not get what options say; nil if it
// could. It fills order.Goods.
func (p *Provider) CheckUpgrade(ctx context.Context, owner account.ID, resource string, options map[string]string) error {
	to, err := limits(options)
	if err != nil {
		return err
	}
	return p.vpn.CheckResize(ctx, owner, resource, to)
}

// Resize gives a gateway what options say. The gateway knows no key: a repeat
// finds the limits as they should be.
func (p *Provider) Resize(ctx context.Context, _, resource string, options map[string]string) error {
	to, err := limits(options)
	if err != nil {
		return err
	}
	return p.vpn.Resize(ctx, resource, to)
}

func wanted(spec service.Spec) (vpn.NewGateway, error) {
	bought, err := limits(spec.Options)
	return vpn.NewGateway{
		Account: spec.Account, Subject: spec.Subject, Name: spec.Configuration["name"], Region: spec.Region,
		Network: spec.Configuration["network"], Limits: bought,
	}, err
}

func limits(options map[string]string) (l vpn.Limits, err error) {
	if l.SSLBandwidth, err = number(options, catalog.OptionSSLBandwidth); err != nil {
		return vpn.Limits{}, err
	}
	l.SSLConnections, err = number(options, catalog.OptionSSLConnections)
	return l, err
}

func number(options map[string]string, name string) (int, error) {
	n, err := strconv.Atoi(options[name])
	if err != nil {
		return 0, ErrOption.With("option", name)
	}
	return n, nil
}

// Get tells how the gateway of a key is.
func (p *Provider) Get(ctx context.Context, key string) (service.Status, error) {
	g, err := p.vpn.ByKey(ctx, key)
	if err != nil {
		return service.Status{}, err
	}
	return status(g), nil
}

// status translates states. A gateway that its node could not apply is still
// being created: the node keeps trying, and staff see the problem.
func status(g vpn.Gateway) service.Status {
	st := service.Status{Resource: g.ID, Problem: g.Problem, Changing: g.State == vpn.GatewayUpdating}
	switch g.State {
	case vpn.GatewayActive, vpn.GatewayUpdating:
		st.State = service.Running
	case vpn.GatewayFrozen:
		st.State = service.Stopped
	case vpn.GatewayDeleted:
		st.State = service.Gone
	default:
		st.State = service.Creating
	}
	return st
}

// Suspend freezes the gateway, or starts it again.
func (p *Provider) Suspend(ctx context.Context, _, resource string, on bool) error {
	return p.vpn.Freeze(ctx, resource, on)
}

// ReleaseTx deletes the gateway on its owner's word; without force it refuses
// with vpn.ErrInUse while there are SSL servers.
func (p *Provider) ReleaseTx(ctx context.Context, tx *db.Tx, resource string, force bool) error {
	return p.vpn.DeleteTx(ctx, tx, resource, force)
}

// Terminate deletes the gateway with everything in it.
func (p *Provider) Terminate(ctx context.Context, _, resource string) error {
	return p.vpn.Delete(ctx, resource, true)
}

package app

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// people answers whose rows are of a handle or an account: the owner of an
// account, or the user of an SSL client.
type people struct{ m *modules }

// ByHandle returns the person, or an error of kind NotFound.
func (p people) ByHandle(ctx context.Context, handle id.Handle) (holding.Person, error) {
	a, err := p.m.account.AccountOf(ctx, handle)
	if !errs.IsNotFound(err) {
		return holding.Person{Handle: handle, Account: string(a)}, err
	}
	client, err := p.m.vpn.ClientOf(ctx, handle)
	return holding.Person{Handle: handle, Client: client}, err
}

// ByAccount returns the owner, or an error of kind NotFound.
func (p people) ByAccount(ctx context.Context, a string) (holding.Person, error) {
	owner, err := p.m.account.Owner(ctx, account.ID(a))
	return holding.Person{Handle: owner, Account: a}, err
}

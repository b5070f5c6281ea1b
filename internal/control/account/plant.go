package account

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Plant makes the account of somebody who does not exist, for an erasure that is
// watched: a name and an address that stand nowhere else, and a password that
// nobody has. Nothing is sent to it and nobody is told of it. with runs in the
// same transaction.
func (s *Service) Plant(ctx context.Context, with func(tx *db.Tx, r Registered) error) error {
	name := "canary-" + strings.ToLower(id.Random(8))
	email, password := name+"@canary.invalid", id.Random(20)
	p, err := s.newPerson(ctx, name, password, email, "en")
	if err != nil {
		return err
	}
	if err := s.fillPerson(ctx, &p, password, email); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		fresh, err := insertPerson(ctx, tx, p)
		if err != nil {
			return err
		}
		if !fresh {
			return ErrNameTaken
		}
		if err := s.leaf(ctx, tx, "account.planted", p, "", map[string]string{"account": string(p.account)}); err != nil {
			return err
		}
		return with(tx, Registered{Account: p.account, Subject: p.subject, Name: p.name})
	})
}

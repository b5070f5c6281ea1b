package audit

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// AppendPlain appends as releases did before cases had keys of their own: with the
// key that all details of a class of a person had.
func (s *Service) AppendPlain(ctx context.Context, e Event, class string) error {
	body, err := e.payload()
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		return s.sealTx(ctx, tx, e, body, s.clock.Now(), payloadRef(id.New("evt"), e.Subject, class))
	})
}

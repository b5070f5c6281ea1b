package fleet

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Drain takes a node out of service gently, or brings it back: while it drains
// it gets no new VPN gateways, and control refuses new logins there with 503 and
// a reason. Sessions go on, and their cookies reconnect, until they end by
// themselves. Doing it twice changes nothing. It is for staff with the
// permission fleet.write and for the operator's commands.
func (s *Service) Drain(ctx context.Context, by account.Principal, nodeID string, on bool) (Node, error) {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		n, err := nodeBy(ctx, tx, "id", nodeID)
		if err != nil || n.Draining == on {
			return err
		}
		if err := setDraining(ctx, tx, nodeID, on); err != nil {
			return err
		}
		return s.recordDrain(ctx, tx, by, n, on)
	})
	if err != nil {
		return Node{}, err
	}
	return s.Node(ctx, nodeID)
}

func (s *Service) recordDrain(ctx context.Context, tx *db.Tx, by account.Principal, n Node, on bool) error {
	kind := map[bool]string{true: "fleet.node_draining", false: "fleet.node_drained"}[on]
	actor := audit.Actor{Class: "system"}
	if by.Subject != "" {
		actor = audit.Actor{Class: "staff", Handle: by.Subject, Session: by.Session}
	}
	return s.audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: by.Subject, Account: string(by.Account), Actor: actor, Detail: map[string]string{"node": n.ID}})
}

// NodeByName returns a node by the name that the configuration gives it.
func (s *Service) NodeByName(ctx context.Context, name string) (Node, error) {
	return nodeBy(ctx, s.db, "name", name)
}

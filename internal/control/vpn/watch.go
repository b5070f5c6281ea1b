package vpn

import (
	"context"
	"fmt"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Kind is a kind of thing whose changes event streams tell.
type Kind string

// The kinds, by their names on the wire.
const (
	KindServer      Kind = "ssl_server"
	KindClient      Kind = "ssl_client"
	KindCertificate Kind = "certificate"
	KindSession     Kind = "vpn_session" // live ones
)

// Kinds returns all of them.
func Kinds() []Kind { return []Kind{KindServer, KindClient, KindCertificate, KindSession} }

// watchTexts are, for each kind with a table here, the query of Mark and that
// of Versions.
var watchTexts = map[Kind][2]string{
	KindServer: {
		"SELECT count(*), CAST(COALESCE(sum(version), 0) AS BIGINT), COALESCE(max(updated_at), 0) FROM vpn_server WHERE account = $1",
		"SELECT id, version FROM vpn_server WHERE account = $1",
	},
	KindClient: {
		"SELECT count(*), CAST(COALESCE(sum(version), 0) AS BIGINT), COALESCE(max(updated_at), 0) FROM vpn_client WHERE account = $1",
		"SELECT id, version FROM vpn_client WHERE account = $1",
	},
	KindCertificate: {
		"SELECT count(*), CAST(COALESCE(sum(version), 0) AS BIGINT), COALESCE(max(updated_at), 0) FROM vpn_certificate WHERE account = $1",
		"SELECT id, version FROM vpn_certificate WHERE account = $1",
	},
}

// Mark is a fingerprint of an account's things of a kind: another one once any
// was made, changed or deleted. It is read from an index and is cheap.
func (s *Service) Mark(ctx context.Context, k Kind, owner account.ID) (string, error) {
	if k == KindSession {
		return s.sessionMark(ctx, owner)
	}
	return db.Get(ctx, s.db, nil, scanMark, watchTexts[k][0], string(owner))
}

func scanMark(r db.Row) (string, error) {
	var count, versions, latest int64
	err := r.Scan(&count, &versions, &latest)
	return fmt.Sprint(count, versions, latest), err
}

// Versions returns the version of each of an account's things of a kind, by id.
// That of a live session does not change.
func (s *Service) Versions(ctx context.Context, k Kind, owner account.ID) (map[string]int64, error) {
	if k == KindSession {
		return s.sessionVersions(ctx, owner)
	}
	return db.RowVersions(ctx, s.db, watchTexts[k][1], string(owner))
}

func (s *Service) sessionMark(ctx context.Context, owner account.ID) (string, error) {
	gateways, err := gatewayIDs(ctx, s.db, owner)
	marks := make([]string, len(gateways))
	for i, g := range gateways {
		if marks[i], err = s.fleet.LiveMark(ctx, g); err != nil {
			break
		}
	}
	return strings.Join(marks, ","), err
}

func (s *Service) sessionVersions(ctx context.Context, owner account.ID) (map[string]int64, error) {
	gateways, err := gatewayIDs(ctx, s.db, owner)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, g := range gateways {
		live, err := s.fleet.Live(ctx, g)
		if err != nil {
			return nil, err
		}
		for _, id := range live {
			all[id] = 1
		}
	}
	return all, nil
}

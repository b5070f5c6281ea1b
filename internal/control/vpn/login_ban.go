package vpn

import (
	"context"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Points of a wrong factor, and how long after the last one all are forgotten:
// ocserv's defaults (spec OpenConnect, section 18.1). The limit is Config's.
const (
	banFailure = 10
	banReset   = 20 * time.Minute
)

// judged is a round for a source that is not banned. A wrong factor counts
// against the source at whatever server and node it was tried. It is counted
// after the comparison, so that people of one office who sign in at the same
// moment do not ban each other; what parallel guesses could gain by that is
// bounded by countAttempt, which counts before.
func (l login) judged(ctx context.Context) (gwlink.LoginAnswer, error) {
	if l.s.config.MaxBanScore <= 0 {
		return l.round(ctx)
	}
	source, err := l.s.digest(ctx, "ban", sourceText(l.request.SourceIP))
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	score, err := l.s.banScore(ctx, source, l.now)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if score >= int64(l.s.config.MaxBanScore) {
		return unavailable(gwlink.TextBanned), nil
	}
	a, err := l.round(ctx)
	if err != nil || !a.Failed {
		return a, err
	}
	return a, l.s.countFailure(ctx, source, a.Client, l.now)
}

// banScore is the score of a source that still counts.
func (s *Service) banScore(ctx context.Context, source string, now time.Time) (int64, error) {
	return db.Get(ctx, s.db, nil, db.One[int64], "SELECT COALESCE(SUM(score), 0) FROM vpn_ban WHERE source = $1 AND until > $2", source, db.Micros(now))
}

// countFailure adds a failure at a client, "" if there is none by that name. A
// ban is not prolonged by those that come in after it was made.
func (s *Service) countFailure(ctx context.Context, source, client string, now time.Time) error {
	var score int64
	err := s.db.InTx(ctx, func(tx *db.Tx) (err error) {
		score, err = db.Get(ctx, tx, nil, db.One[int64], `INSERT INTO vpn_ban (source, score, until) VALUES ($1, $2, $3)
			ON CONFLICT (source) DO UPDATE SET
				score = CASE WHEN vpn_ban.until <= $4 THEN excluded.score ELSE vpn_ban.score + excluded.score END,
				until = CASE WHEN vpn_ban.until <= $4 OR vpn_ban.score < $5 THEN excluded.until ELSE vpn_ban.until END
			RETURNING score`, source, int64(banFailure), db.Micros(now.Add(banReset)), db.Micros(now), int64(s.config.MaxBanScore))
		if err != nil {
			return err
		}
		return countShare(ctx, tx, source, client, score == banFailure)
	})
	if limit := int64(s.config.MaxBanScore); err == nil && score >= limit && score-banFailure < limit {
		s.log.WarnContext(ctx, "vpn logins of one source are refused", "wait", banReset)
	}
	return err
}

// countShare notes whose failure it was. anew forgets those of a score that was
// over.
func countShare(ctx context.Context, tx *db.Tx, source, client string, anew bool) error {
	if anew {
		if _, err := tx.Exec(ctx, "DELETE FROM vpn_ban_share WHERE source = $1", source); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO vpn_ban_share (source, client, score) VALUES ($1, $2, $3)
		ON CONFLICT (source, client) DO UPDATE SET score = vpn_ban_share.score + excluded.score`, source, client, int64(banFailure))
	return err
}

// sourceText is what failures of an address are counted under: IPv6 by /64.
func sourceText(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		a = netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a.String()
}

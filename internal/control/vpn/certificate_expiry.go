package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Topics of certificates that end. Those that were issued to the clients of
// one SSL server are told of together.
const (
	TopicCertificateExpiring       = "vpn.certificate_expiring"
	TopicCertificateExpired        = "vpn.certificate_expired"
	TopicClientCertificatesEnding  = "vpn.client_certificates_expiring"
	TopicClientCertificatesExpired = "vpn.client_certificates_expired"
)

// CertificateEnding is the payload of these topics.
type CertificateEnding struct {
	Account     account.ID
	Certificate string // the first, of a server's clients
	Server      string // of a server's clients, else empty
	Count       int
	Days        int // 30, 7, 1; 0 = it has ended
	Date        string
}

// expiryEvery is how often ends are looked for: often enough that nobody
// learns a day late that a certificate has ended.
const expiryEvery = time.Hour

// warnings are the days before its end at which a certificate is told of, once
// each; 0 is the end itself.
var warnings = []int{0, 1, 7, 30}

// expiryBatch is how many certificates one transaction looks at.
const expiryBatch = 500

// ending is a certificate that has come nearer to its end than it was told of.
type ending struct {
	Certificate
	days int
}

// warnOfExpiry tells the owners of certificates that end soon or have ended.
// A renewed certificate that is only waiting to be revoked is not told of.
func (s *Service) warnOfExpiry(ctx context.Context) error {
	for {
		n, err := s.warnSome(ctx)
		if err != nil || n < expiryBatch {
			return err
		}
	}
}

func (s *Service) warnSome(ctx context.Context) (n int, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.clock.Now()
		due, err := dueForWarning(ctx, tx, now)
		if n = len(due); err != nil {
			return err
		}
		for _, e := range due {
			if _, err := tx.Exec(ctx, "UPDATE vpn_certificate SET warned = $1 WHERE id = $2", int64(e.days), e.ID); err != nil {
				return err
			}
			if e.days > 0 {
				continue
			}
			if err := s.recordJob(ctx, tx, e.Account, "", "vpn.certificate_expired", map[string]string{"certificate": e.ID}); err != nil {
				return err
			}
		}
		return s.tellTx(ctx, tx, due)
	})
	return n, err
}

// dueForWarning reads the certificates whose next warning is due. The number
// of days that is told is the least that applies: nobody is told "30 days" of
// what was uploaded a week before its end.
func dueForWarning(ctx context.Context, tx *db.Tx, now time.Time) ([]ending, error) {
	var due []ending
	for i, days := range warnings {
		from := int64(0)
		if i > 0 {
			from = db.Micros(now.AddDate(0, 0, warnings[i-1]))
		}
		all, err := db.Select(ctx, tx, scanCertificate, certificateColumns+` WHERE not_after > $1 AND not_after <= $2 AND warned > $3 AND revoked_at = 0
			AND retire_at = 0 ORDER BY not_after, id LIMIT $4`, from, db.Micros(now.AddDate(0, 0, days)), int64(days), int64(expiryBatch-len(due)))
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			due = append(due, ending{c, days})
		}
		if len(due) == expiryBatch {
			break
		}
	}
	return due, nil
}

// tellTx publishes one event per uploaded certificate, and one per server and
// number of days for those of clients.
func (s *Service) tellTx(ctx context.Context, tx *db.Tx, due []ending) error {
	type group struct {
		server string
		days   int
	}
	groups := map[group]*CertificateEnding{}
	var events []*CertificateEnding // in the order of their first certificate
	for _, e := range due {
		g := group{e.Server, e.days}
		if known := groups[g]; known != nil && e.Kind == CertificateClient {
			known.Count++
			continue
		}
		event := &CertificateEnding{Account: e.Account, Certificate: e.ID, Server: e.Server, Count: 1, Days: e.days, Date: e.NotAfter.UTC().Format(time.DateOnly)}
		if e.Kind == CertificateClient {
			groups[g] = event
		}
		events = append(events, event)
	}
	for _, e := range events {
		if err := s.queue.PublishTx(ctx, tx, e.topic(), *e); err != nil {
			return err
		}
	}
	return nil
}

func (e CertificateEnding) topic() string {
	switch {
	case e.Server == "" && e.Days == 0:
		return TopicCertificateExpired
	case e.Server == "":
		return TopicCertificateExpiring
	case e.Days == 0:
		return TopicClientCertificatesExpired
	}
	return TopicClientCertificatesEnding
}

package consent

import (
	"context"
	"embed"
	"io/fs"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "consent", Files: sub}
}

const versionColumns = "document, number, major, rank, change, affects, imports, sha256, published_at, effective_at, published_by"

func scanVersion(r db.Row) (Version, error) {
	var v Version
	var major, published, effective int64
	var affects, imports string
	err := r.Scan(&v.Document, &v.Number, &major, &v.rank, &v.Change, &affects, &imports, &v.SHA256, &published, &effective, &v.PublishedBy)
	v.Major, v.Affects, v.Imports = int(major), strings.Fields(affects), strings.Fields(imports)
	v.PublishedAt, v.EffectiveAt = db.FromMicros(published), db.FromMicros(effective)
	return v, err
}

// insertVersion reports false if the number exists already.
func insertVersion(ctx context.Context, tx *db.Tx, v Version) (bool, error) {
	n, err := tx.Exec(ctx, "INSERT INTO consent_version ("+versionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
		v.Document, v.Number, int64(v.Major), v.rank, v.Change, spaced(v.Affects), strings.Join(v.Imports, " "), v.SHA256,
		db.Micros(v.PublishedAt), db.Micros(v.EffectiveAt), v.PublishedBy)
	return n == 1, err
}

// spaced surrounds each word with spaces, so that SQL finds it with LIKE.
func spaced(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, " ") + " "
}

func insertText(ctx context.Context, tx *db.Tx, v Version, locale string, t rendered) error {
	_, err := tx.Exec(ctx, "INSERT INTO consent_text (document, number, locale, title, body, sha256) VALUES ($1, $2, $3, $4, $5, $6)",
		v.Document, v.Number, locale, t.title, t.body, hashText(t.body))
	return err
}

func newestVersion(ctx context.Context, q db.Q, document string) (Version, error) {
	return db.Get(ctx, q, ErrNotFound, scanVersion,
		"SELECT "+versionColumns+" FROM consent_version WHERE document = $1 ORDER BY rank DESC LIMIT 1", document)
}

// versionInForce is the highest version that is effective.
func versionInForce(ctx context.Context, q db.Q, document string, now int64) (Version, error) {
	return db.Get(ctx, q, ErrNotFound, scanVersion, "SELECT "+versionColumns+
		" FROM consent_version WHERE document = $1 AND effective_at <= $2 ORDER BY rank DESC LIMIT 1", document, now)
}

type textRow struct{ locale, title, body, sha256 string }

func scanText(r db.Row) (t textRow, err error) {
	return t, r.Scan(&t.locale, &t.title, &t.body, &t.sha256)
}

func texts(ctx context.Context, q db.Q, document, number string) ([]textRow, error) {
	return db.Select(ctx, q, scanText, "SELECT locale, title, body, sha256 FROM consent_text WHERE document = $1 AND number = $2 ORDER BY locale DESC", document, number)
}

const eventColumns = "id, subject, purpose, kind, decision, document, number, text_sha256, locale, channel, adult, at, receipt"

func scanRecord(r db.Row) (Record, error) {
	var e Record
	var adult, at int64
	err := r.Scan(&e.ID, &e.Subject, &e.Purpose, &e.Kind, &e.Decision, &e.Document, &e.Version, &e.TextSHA256, &e.Locale, &e.Channel, &adult, &at, &e.Receipt)
	e.Adult, e.At = adult == 1, db.FromMicros(at)
	return e, err
}

type seriesHead struct {
	seq, rank        int64
	decision         string
	document, number string
	textSHA256       string
	locale           string
}

func scanHead(r db.Row) (h seriesHead, err error) {
	return h, r.Scan(&h.seq, &h.rank, &h.decision, &h.document, &h.number, &h.textSHA256, &h.locale)
}

// lastEvent returns the newest event of a series; NotFound if there is none.
func lastEvent(ctx context.Context, q db.Q, subject id.Handle, purpose string) (seriesHead, error) {
	return db.Get(ctx, q, ErrNotFound, scanHead, `SELECT seq, rank, decision, document, number, text_sha256, locale
		FROM consent_event WHERE subject = $1 AND purpose = $2 ORDER BY seq DESC LIMIT 1`, string(subject), purpose)
}

// insertEvent loses against a concurrent act of the same series: the
// transaction then runs again.
func insertEvent(ctx context.Context, tx *db.Tx, e Record, seq, rank int64, act string) error {
	return tx.ExecOne(ctx, db.ErrRetry, `INSERT INTO consent_event
		(id, subject, purpose, seq, kind, decision, act, document, number, rank, text_sha256, locale, channel, adult, at, receipt, epoch)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, (SELECT count(*) FROM consent_renewal WHERE document = $8)) ON CONFLICT DO NOTHING`,
		e.ID, string(e.Subject), e.Purpose, seq, e.Kind, e.Decision, act, e.Document, e.Version, rank, e.TextSHA256, e.Locale, e.Channel,
		db.Bool(e.Adult), db.Micros(e.At), e.Receipt)
}

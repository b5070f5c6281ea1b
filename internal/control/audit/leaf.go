package audit

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Leaf is one entry of the log.
type Leaf struct {
	Index      int64 // from 0, without gaps
	At         time.Time
	Type       string
	Handle     id.Handle
	Commitment string // hex SHA-256 of salt and payload
	Payload    string // id of the sealed detail
}

// Text is what the tree hashes: format, type, time (RFC 3339, UTC), handle and
// commitment, one per line.
func (l Leaf) Text() []byte {
	return []byte(strings.Join([]string{
		"skybridge-log/v1", l.Type, l.At.UTC().Format(time.RFC3339Nano), string(l.Handle), l.Commitment,
	}, "\n") + "\n")
}

const leafColumns = "idx, at, type, handle, commitment, payload"

func scanLeaf(r db.Row) (l Leaf, err error) {
	var at int64
	err = r.Scan(&l.Index, &at, &l.Type, &l.Handle, &l.Commitment, &l.Payload)
	l.At = db.FromMicros(at)
	return l, err
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

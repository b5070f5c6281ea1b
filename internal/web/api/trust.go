package api

import (
	"context"
	"encoding/json"
	"time"
)

// TrustClause is a promise of the published texts and how it stands.
type TrustClause struct {
	ID         string         `json:"id" example:"LT-1.1b"`
	State      string         `json:"state" enum:"enforced,organisational,planned,open" doc:"planned and open: nothing enforces it yet"`
	Must       string         `json:"must" doc:"What the software has to do"`
	MustZH     string         `json:"must_zh" doc:"The same in Chinese"`
	EnforcedBy []string       `json:"enforced_by" nullable:"false" doc:"Symbols of the program"`
	Tests      []string       `json:"tests" nullable:"false" doc:"Tests that fail without them"`
	KilledBy   string         `json:"mutant_killed_by,omitempty" doc:"The test that failed when the clause's gate was turned off for a trial"`
	Planned    string         `json:"planned,omitempty" doc:"The work that brings it"`
	Query      string         `json:"query,omitempty" doc:"The question that the service asks its own data every hour"`
	Evidence   *TrustEvidence `json:"evidence,omitempty" doc:"Missing where it was not asked yet"`
}

// TrustEvidence is the last answer to a clause's question.
type TrustEvidence struct {
	State     string    `json:"state" enum:"expected,unexpected,failed"`
	Examined  int64     `json:"examined" doc:"Things that were looked at"`
	Found     int64     `json:"found" doc:"Of them, those that should not be"`
	Checks    int64     `json:"checks" doc:"Times that it was asked"`
	CheckedAt time.Time `json:"checked_at"`
}

// TrustLog is what an outsider keeps of the audit log, so that what is shown
// later can be held to it with skybridge-verify.
type TrustLog struct {
	Verifier   string    `json:"verifier" doc:"Public key of the log's checkpoints; compare it with a copy kept elsewhere"`
	Checkpoint string    `json:"checkpoint" doc:"The newest signed checkpoint, byte for byte: origin, size, root, an empty line, signature"`
	Size       int64     `json:"size" doc:"Entries that it covers"`
	Root       string    `json:"root" doc:"Root of the Merkle tree over them, in base64"`
	Signature  string    `json:"signature" doc:"Its signature line: the name of the log, and key hash and Ed25519 signature in base64"`
	SignedAt   time.Time `json:"signed_at"`
}

// Trust is what the service can show of its promises.
type Trust struct {
	Clauses       []TrustClause `json:"clauses" nullable:"false"`
	DataMapSHA256 string        `json:"data_map_sha256" doc:"SHA-256 of the data map's canonical JSON"`
	Program       string        `json:"program" doc:"Version of the program"`
	Log           *TrustLog     `json:"log,omitempty" doc:"Missing before the first checkpoint, which is signed within a minute of the start"`
}

// DataMap is the description of every column of the main database, and of every
// name that leaves the tables.
type DataMap struct {
	SHA256 string          `json:"sha256" doc:"Over the value of map, byte for byte"`
	Map    json.RawMessage `json:"map" doc:"Tables with their columns: category, purposes, basis and retention, or why it is not personal; the class of every log key, job argument, field for recipients and field of the API"`
}

// TrustSource is who knows: internal/app, where all modules meet.
type TrustSource struct {
	Trust   func(ctx context.Context) (Trust, error)
	DataMap func() (DataMap, error)
}

// TrustPages registers what anybody may see of the promises. It holds no personal
// data: counts, names of symbols and of columns.
func TrustPages(a *API, s TrustSource) {
	const tag = "Policies"
	Get(a, "/trust", Operation{ID: "get-trust", Summary: "Each promise, what enforces it and the last evidence", Tag: tag, Access: Public},
		func(ctx context.Context, _ *struct{}) (*Body[Trust], error) {
			t, err := s.Trust(ctx)
			return &Body[Trust]{t}, err
		})
	Get(a, "/privacy/datamap", Operation{ID: "get-data-map", Summary: "The data map", Tag: tag, Access: Public},
		func(context.Context, *struct{}) (*Body[DataMap], error) {
			m, err := s.DataMap()
			return &Body[DataMap]{m}, err
		})
}

package api

import (
	"context"
	"encoding/base64"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Disclosure is what was sent about a person to somebody else: names of fields,
// never values.
type Disclosure struct {
	ID        string     `json:"id"`
	At        time.Time  `json:"at"`
	Recipient string     `json:"recipient" example:"idv.aliyun"`
	LegalName string     `json:"legal_name"`
	Role      string     `json:"role" enum:"processor,handler,joint,authority,infra"`
	Region    string     `json:"region"`
	Operation string     `json:"operation"`
	Purpose   string     `json:"purpose"`
	Basis     string     `json:"basis"`
	Mechanism string     `json:"mechanism" doc:"Of a transfer abroad; empty for none"`
	Fields    []string   `json:"fields" nullable:"false"`
	Phase     string     `json:"phase" enum:"intent,done,failed,unknown" doc:"intent and unknown: it may have been sent"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Order     string     `json:"order" doc:"Of an authority, that it was done for; empty for none"`
	LogIndex  int64      `json:"log_index" doc:"Position in the audit log, for a proof"`
}

// ReadEvent is who read which of a person's fields, and why.
type ReadEvent struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Reader   string    `json:"reader" enum:"self,administrator,staff,job,system,authority" doc:"administrator: of the customer, for the user of an SSL client"`
	Handle   string    `json:"handle" doc:"Of who read; empty for jobs"`
	Fields   []string  `json:"fields" nullable:"false"`
	Purpose  string    `json:"purpose"`
	Reason   string    `json:"reason"`
	LogIndex int64     `json:"log_index"`
}

// LogLeaf is an entry of the audit log; its detail is sealed.
type LogLeaf struct {
	Index      int64     `json:"index"`
	At         time.Time `json:"at"`
	Type       string    `json:"type" example:"order.paid"`
	Handle     string    `json:"handle"`
	Commitment string    `json:"commitment"`
}

// Checkpoint is a signed size and root of the log.
type Checkpoint struct {
	Note     string `json:"note" doc:"Signed note: origin, size, root, signature"`
	Verifier string `json:"verifier" doc:"Public key; compare it with a copy kept elsewhere"`
}

// LogProof is what skybridge-verify checks offline.
type LogProof struct {
	Format      string          `json:"format" enum:"skybridge-proof/v1"`
	Verifier    string          `json:"verifier" doc:"For information: skybridge-verify takes the key from elsewhere"`
	Checkpoint  string          `json:"checkpoint"`
	Inclusion   *InclusionProof `json:"inclusion,omitempty"`
	Older       string          `json:"older_checkpoint,omitempty"`
	Consistency []string        `json:"consistency,omitempty" doc:"Hashes in base64, from the older checkpoint to the newer"`
}

// InclusionProof proves one leaf.
type InclusionProof struct {
	Index  int64    `json:"index"`
	Leaf   string   `json:"leaf" doc:"Text of the leaf"`
	Hashes []string `json:"hashes" nullable:"false" doc:"In base64"`
}

// LogReport is what a verification of the whole log found.
type LogReport struct {
	OK          bool         `json:"ok"`
	Size        int64        `json:"size"`
	Root        string       `json:"root"`
	At          time.Time    `json:"at"`
	Checkpoints int          `json:"checkpoints"`
	Erased      int64        `json:"erased" doc:"Entries whose detail is destroyed by an erasure"`
	Problems    []LogProblem `json:"problems" nullable:"false"`
}

// LogProblem is one thing that is not as it was signed.
type LogProblem struct {
	Code  string `json:"code"`
	Index int64  `json:"index"`
}

// Audit registers a person's view of disclosures and reads, and the staff's
// view of the log.
func Audit(a *API, s *audit.Service) {
	person(a, s)
	staffLog(a, s)
	Get(a, "/admin/audit-log/proof", Operation{
		ID: "prove-audit-log", Summary: "Proof file for skybridge-verify", Tag: "Staff", Access: Staff(account.PermAuditRead),
		Detail: "Proves a leaf and, with from, that the newest checkpoint continues the one of that size.",
	},
		func(ctx context.Context, in *proofInput) (*Body[LogProof], error) {
			p, err := proof(ctx, s, in.Index, in.From, "")
			return &Body[LogProof]{p}, err
		})
}

func person(a *API, s *audit.Service) {
	const tag = "Privacy"
	Get(a, "/disclosures", Operation{ID: "list-disclosures", Summary: "What was sent about you, to whom and why", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[Disclosure]], error) {
			all, err := s.Disclosures(ctx, Who(ctx).Subject, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			next := nextCursor(all, in.Limit, func(d audit.Disclosure) string { return d.ID })
			return &Body[List[Disclosure]]{List[Disclosure]{Items(all, toDisclosure), next}}, nil
		})
	Get(a, "/reads", Operation{ID: "list-reads", Summary: "Who read your sealed data, and why", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *readsInput) (*Body[List[ReadEvent]], error) { return reads(ctx, s, in) })
	Get(a, "/audit-log/proof", Operation{
		ID: "prove-own-entry", Summary: "Proof file of an entry of the audit log about you", Tag: tag, Access: SignedIn,
		Detail: "For skybridge-verify. The index is the log_index of a disclosure or a read; entries about others do not exist here.",
	},
		func(ctx context.Context, in *ownProofInput) (*Body[LogProof], error) {
			p, err := proof(ctx, s, in.Index, in.From, Who(ctx).Subject)
			return &Body[LogProof]{p}, err
		})
}

type ownProofInput struct {
	Index int64 `query:"index" required:"true" minimum:"0"`
	From  int64 `query:"from" minimum:"0" doc:"Size of an older checkpoint that you kept; 0 for none"`
}

type readsInput struct {
	Page
	Own bool `query:"own" doc:"Your own reads too"`
}

func reads(ctx context.Context, s *audit.Service, in *readsInput) (*Body[List[ReadEvent]], error) {
	f := audit.ReadFilter{Own: in.Own, Limit: in.Limit}
	if in.Cursor != "" {
		micros, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil {
			return nil, errs.New(errs.Invalid, "api.invalid_request")
		}
		f.Before = time.UnixMicro(micros)
	}
	all, err := s.Reads(ctx, Who(ctx).Subject, f)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(all) > 0 && len(all) == in.Limit {
		next = strconv.FormatInt(all[len(all)-1].At.UnixMicro(), 10)
	}
	return &Body[List[ReadEvent]]{List[ReadEvent]{Items(all, toReadEvent), next}}, nil
}

func staffLog(a *API, s *audit.Service) {
	Get(a, "/admin/audit-log", Operation{ID: "list-audit-log", Summary: "The audit log, newest first", Tag: "Staff", Access: Staff(account.PermAuditRead)},
		func(ctx context.Context, in *leavesInput) (*Body[List[LogLeaf]], error) { return leaves(ctx, s, in) })
	Get(a, "/admin/audit-log/checkpoint", Operation{ID: "get-checkpoint", Summary: "Sign the log's present size and root", Tag: "Staff", Access: Staff(account.PermAuditRead)},
		func(ctx context.Context, _ *struct{}) (*Body[Checkpoint], error) {
			note, err := s.Checkpoint(ctx)
			if err != nil {
				return nil, err
			}
			key, err := s.VerifierKey(ctx)
			return &Body[Checkpoint]{Checkpoint{string(note), key}}, err
		})
	Post(a, "/admin/audit-log/verify", Operation{ID: "verify-audit-log", Summary: "Recompute the whole log", Tag: "Staff", Access: Staff(account.PermAuditVerify)},
		func(ctx context.Context, _ *struct{}) (*Body[LogReport], error) {
			r, err := s.Verify(ctx)
			return &Body[LogReport]{toLogReport(r)}, err
		})
}

type leavesInput struct {
	Page
	Type   string `query:"type" maxLength:"64"`
	Handle string `query:"handle" maxLength:"40"`
}

func leaves(ctx context.Context, s *audit.Service, in *leavesInput) (*Body[List[LogLeaf]], error) {
	f := audit.Filter{Type: in.Type, Handle: in.Handle, Limit: in.Limit}
	if in.Cursor != "" {
		before, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || before < 1 {
			return nil, errs.New(errs.Invalid, "api.invalid_request")
		}
		f.Before = before
	}
	all, err := s.Leaves(ctx, f)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(all) > 0 && len(all) == in.Limit && all[len(all)-1].Index > 0 {
		next = strconv.FormatInt(all[len(all)-1].Index, 10)
	}
	return &Body[List[LogLeaf]]{List[LogLeaf]{Items(all, toLogLeaf), next}}, nil
}

type proofInput struct {
	Index int64 `query:"index" minimum:"-1" default:"-1" doc:"Leaf to prove; -1 for none"`
	From  int64 `query:"from" minimum:"0" doc:"Size of an older checkpoint; 0 for none"`
}

// proof signs a checkpoint and proves a leaf and an older checkpoint in it. A
// leaf about somebody else than the person does not exist; empty means staff.
func proof(ctx context.Context, s *audit.Service, index, from int64, person id.Handle) (LogProof, error) {
	note, err := s.Checkpoint(ctx)
	if err != nil {
		return LogProof{}, err
	}
	p := LogProof{Format: "skybridge-proof/v1", Checkpoint: string(note)}
	if p.Verifier, err = s.VerifierKey(ctx); err != nil {
		return p, err
	}
	size, err := s.SizeOf(note)
	if err != nil {
		return p, err
	}
	if index >= 0 {
		i, err := s.Inclusion(ctx, index, size)
		if err == nil && person != "" {
			err = s.Shown(ctx, i.Leaf, person)
		}
		if err != nil {
			return LogProof{}, err
		}
		p.Inclusion = &InclusionProof{Index: index, Leaf: string(i.Leaf.Text()), Hashes: Items(i.Hashes, toHash)}
	}
	if from == 0 {
		return p, nil
	}
	older, err := s.CheckpointOf(ctx, from)
	if err != nil {
		return p, err
	}
	c, err := s.Consistency(ctx, from, size)
	p.Older, p.Consistency = string(older), Items(c.Hashes, toHash)
	return p, err
}

func toHash(h tlog.Hash) string { return base64.StdEncoding.EncodeToString(h[:]) }

func toDisclosure(d audit.Disclosure) Disclosure {
	return Disclosure{
		ID: d.ID, At: d.At, Recipient: d.Recipient, LegalName: d.LegalName, Role: d.Role, Region: d.Region, Operation: d.Op,
		Purpose: d.Purpose, Basis: d.Basis, Mechanism: d.Mechanism, Fields: append([]string{}, d.Fields...), Phase: d.Phase,
		EndedAt: toTime(d.EndedAt), Order: d.Order, LogIndex: d.Index,
	}
}

func toReadEvent(e audit.ReadEvent) ReadEvent {
	return ReadEvent{
		ID: e.ID, At: e.At, Reader: e.Reader.Class, Handle: string(e.Reader.Handle), Fields: append([]string{}, e.Fields...),
		Purpose: e.Purpose, Reason: e.Reason, LogIndex: e.Index,
	}
}

func toLogLeaf(l audit.Leaf) LogLeaf {
	return LogLeaf{Index: l.Index, At: l.At, Type: l.Type, Handle: string(l.Handle), Commitment: l.Commitment}
}

func toLogReport(r audit.Report) LogReport {
	return LogReport{
		OK: len(r.Problems) == 0, Size: r.Size, Root: r.Root, At: r.At, Checkpoints: r.Checkpoints, Erased: r.Erased,
		Problems: Items(r.Problems, func(p audit.Problem) LogProblem { return LogProblem{p.Code, p.Index} }),
	}
}

// Package errs gives errors a stable code and, where a caller decides on it, a
// kind.
//
// A code such as "order.quote_expired" is at once the machine-readable name
// that the API answers with and the key of its translations. A person sees the
// translation; what happened is in the wrapped cause and goes to the log only.
//
// Absence is not failure: a missing row is NotFound, and an error without a
// kind is Internal, which opens no door.
package errs

import (
	"errors"
	"fmt"
)

// Kind classifies what a caller may decide on. The HTTP status in the comments
// is given by internal/web.
type Kind uint8

// Kinds.
const (
	Internal        Kind = iota // 500: everything unclassified
	Invalid                     // 400: malformed
	Unprocessable               // 422: breaks a rule
	Unauthenticated             // 401
	Forbidden                   // 403: no basis, role or consent
	NotFound                    // 404: absent, or not for this caller to know
	Conflict                    // 409: stale, reused, wrong state
	Gone                        // 410: key destroyed
	Restricted                  // 423: hold or floor
	Limited                     // 429
	LegalBlock                  // 451
	Unavailable                 // 503: an enforcer or a peer is down
	TooLarge                    // 413: more than is read
	Precondition                // 412: not as the sender saw it
)

// Error is an error with a code. Its fields are read by internal/web; they
// never hold personal data or secrets.
type Error struct {
	Kind   Kind
	Code   string         // module.reason
	Params map[string]any // for the translation
	Clause string         // id of the policy clause that decided, may be empty
	cause  error
}

// New makes an error of a kind with a code.
func New(kind Kind, code string) *Error { return &Error{Kind: kind, Code: code} }

// Wrap is New with a cause.
func Wrap(kind Kind, code string, cause error) *Error {
	return &Error{Kind: kind, Code: code, cause: cause}
}

// With returns a copy with one more parameter for the translation.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Params = make(map[string]any, len(e.Params)+1)
	for k, v := range e.Params {
		c.Params[k] = v
	}
	c.Params[name] = value
	return &c
}

// ByClause returns a copy naming the policy clause that decided.
func (e *Error) ByClause(id string) *Error {
	c := *e
	c.Clause = id
	return &c
}

// Error is for logs.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %v", e.Code, e.cause)
	}
	return e.Code
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is holds two errors equal when their codes are, so that a package-level
// *Error works as a sentinel even after With.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// KindOf returns the kind of the first *Error in the chain, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf returns the code of the first *Error in the chain, else "internal".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return "internal"
}

// IsNotFound reports whether err says that something is absent.
func IsNotFound(err error) bool { return err != nil && KindOf(err) == NotFound }

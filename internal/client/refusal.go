package client

import (
	"fmt"
	"net/http"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// RefusedError is an answer other than 200. It is an ErrRefused. To CONNECT, 401
// says that the cookie is no more, 503 that it may be tried again.
type RefusedError struct {
	Status int
	Reason string // the server's words, Printable; may be empty
}

func (e *RefusedError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("%v: %s", ErrRefused, e.Reason)
	}
	return fmt.Sprintf("%v: %d %s", ErrRefused, e.Status, http.StatusText(e.Status))
}

// Is makes every RefusedError an ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

func refusal(status int, head http.Header) error {
	return &RefusedError{Status: status, Reason: openconnect.Printable(head.Get("X-Reason"))}
}

// EndedError is a DISCONNECT or TERMINATE of the server, which wants no
// reconnect. It is an ErrEnded.
type EndedError struct {
	Text string // the server's words, Printable; may be empty
}

func (e *EndedError) Error() string {
	if e.Text == "" {
		return ErrEnded.Error()
	}
	return fmt.Sprintf("%v: %s", ErrEnded, e.Text)
}

// Is makes every EndedError an ErrEnded.
func (e *EndedError) Is(target error) bool { return target == ErrEnded }

// refusedForm is a form that has nothing to fill in: it only tells why.
func refusedForm(f openconnect.AuthRequest, why error) error {
	text := f.Message
	if f.Error != nil {
		text = f.Error.Text
	}
	if text == "" {
		return why
	}
	return fmt.Errorf("%w: %s", why, text)
}

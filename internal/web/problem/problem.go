// Package problem turns errors into RFC 9457 documents: the one place where
// package errs meets HTTP.
//
// An error without a kind answers 500 with the code "internal" and nothing of
// its text; the text goes to the log with the request's number.
package problem

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// ContentType of a problem document.
const ContentType = "application/problem+json"

// Problem is the wire form of an error.
type Problem struct {
	Type     string         `json:"type" doc:"Always about:blank; the code tells problems apart" example:"about:blank"`
	Title    string         `json:"title" doc:"What happened and what to do, in the caller's language"`
	Status   int            `json:"status" example:"409"`
	Code     string         `json:"code" doc:"Stable code, module.reason" example:"order.price_changed"`
	Params   map[string]any `json:"params,omitempty" doc:"Values of the sentence"`
	Clause   string         `json:"clause,omitempty" doc:"Clause of the privacy policy that decided"`
	Request  string         `json:"request,omitempty" doc:"Number of the request, to quote in a ticket"`
	Problems []Field        `json:"problems,omitempty" nullable:"false" doc:"Fields that are not right"`
}

// Field is one wrong field of a request. It never repeats the value.
type Field struct {
	Location string `json:"location" example:"body.email"`
	Message  string `json:"message"`
}

// Error is for logs.
func (p *Problem) Error() string { return p.Code }

// GetStatus is what the API library asks for.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is what the API library asks for.
func (p *Problem) ContentType(string) string { return ContentType }

var statuses = map[errs.Kind]int{
	errs.Internal: 500, errs.Invalid: 400, errs.Unprocessable: 422, errs.Unauthenticated: 401, errs.Forbidden: 403,
	errs.NotFound: 404, errs.Conflict: 409, errs.Gone: 410, errs.Restricted: 423, errs.Limited: 429,
	errs.LegalBlock: 451, errs.Unavailable: 503, errs.TooLarge: 413, errs.Precondition: 412,
}

// From converts an error for a request and logs it if it is internal.
func From(info request.Info, log *slog.Logger, err error) *Problem {
	var already *Problem
	if errors.As(err, &already) {
		return already
	}
	p := &Problem{Type: "about:blank", Code: errs.CodeOf(err), Status: statuses[errs.KindOf(err)], Request: info.Number}
	var e *errs.Error
	if errors.As(err, &e) {
		p.Params, p.Clause = e.Params, e.Clause
	}
	if p.Status == http.StatusInternalServerError {
		log.Error("request failed", "request", info.Number, "error", err)
		p.Code, p.Params = "internal", nil
	}
	p.Title = i18n.Text(info.Language, p.Code, p.Params)
	return p
}

// Write answers with an error, for handlers outside the API library.
func Write(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	p := From(request.From(r.Context()), log, err)
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client went away: nobody to tell
}

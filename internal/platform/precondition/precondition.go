// Package precondition carries what a request's sender has seen of the resource
// that it changes (If-Match, RFC 9110, section 13.1.1) to the transaction that
// changes it, so that nothing can come between the look and the change.
package precondition

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// ErrFailed says that the resource is not, or no longer, as the sender saw it.
var ErrFailed = errs.New(errs.Precondition, "api.precondition_failed")

// Tag returns the entity tag of a resource's version.
func Tag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

type key struct{}

// WithMatch returns a context in which Check holds to an If-Match field: tags
// that Tag made, with commas between them, or "*" for whatever there is. A weak
// tag, or one of another origin, fits no version.
func WithMatch(ctx context.Context, field string) context.Context {
	var tags []string
	for t := range strings.SplitSeq(field, ",") {
		tags = append(tags, strings.TrimSpace(t))
	}
	if slices.Contains(tags, "*") {
		return ctx
	}
	return context.WithValue(ctx, key{}, tags)
}

// Check returns ErrFailed if the context has a condition that a resource of this
// version does not meet.
func Check(ctx context.Context, version int64) error {
	tags, asked := ctx.Value(key{}).([]string)
	if asked && !slices.Contains(tags, Tag(version)) {
		return ErrFailed
	}
	return nil
}

package job

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
)

// Arguments is the closed list of names that a payload may have. None is
// personal: a job names the handle, and what it is about is read where it is
// kept.
var Arguments = field.Register{
	"ID": field.ID, "Account": field.ID, "Attempt": field.ID, "Batch": field.ID, "Case": field.ID, "Certificate": field.ID, "Client": field.ID,
	"Event": field.ID, "Gateway": field.ID, "Line": field.ID, "Message": field.ID, "Order": field.ID, "Receipt": field.ID, "Request": field.ID,
	"Resource": field.ID, "Server": field.ID, "Service": field.ID, "Session": field.ID, "Subject": field.ID, "Task": field.ID, "Ticket": field.ID, "Transfer": field.ID, "Verification": field.ID,
	"Detail":   field.ID,   // of account.Event: what else the event names
	"Name":     field.ID,   // of a system key
	"Mail":     field.Code, // how the mail of a notice ended
	"Decision": field.Code, "Kind": field.Code, "Problem": field.Code, "Purpose": field.Code, "Quota": field.Code, "Reason": field.Code, "State": field.Code,
	"Amount": field.Number, "Balance": field.Number, "Count": field.Number, "Days": field.Number, "Generation": field.Number, "Limit": field.Number,
	"At": field.Time, "Date": field.Time, "Ends": field.Time,
}

// classified is nil for a payload all of whose names are in Arguments.
func classified(payload []byte) error {
	names, err := field.NamesIn(payload)
	if err != nil {
		return err
	}
	return Arguments.Check(names...)
}

// Verify names every kind with a handler whose argument is not classified. The
// start asks it.
func (q *Queue) Verify() error {
	wrong := []error{Arguments.Verify()}
	q.mu.RLock()
	defer q.mu.RUnlock()
	for _, kind := range slices.Sorted(maps.Keys(q.takes)) {
		if err := takes(q.takes[kind]); err != nil {
			wrong = append(wrong, fmt.Errorf("job %s: %w", kind, err))
		}
	}
	return errors.Join(wrong...)
}

func takes(t reflect.Type) error {
	names, err := field.Names(t)
	if err != nil {
		return err
	}
	return Arguments.Check(names...)
}

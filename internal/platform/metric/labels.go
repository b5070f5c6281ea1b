package metric

import "github.com/skybridge-cloud/skybridge/internal/platform/field"

// Labels is the closed list of names of labels. None is personal: a series says
// how many, and lives for years at whoever scrapes. New refuses a family with
// another one.
var Labels = field.Register{
	"cause": field.Code, "database": field.Code, "direction": field.Code, "due": field.Code, "handshake": field.Code, "health": field.Code,
	"kind": field.Code, "operation": field.Code, "outcome": field.Code, "pool": field.Code, "reason": field.Code, "recipient": field.Code,
	"state": field.Code, "store": field.Code, "transport": field.Code,

	"node": field.System,
}

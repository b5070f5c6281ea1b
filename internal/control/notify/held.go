package notify

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's; attempts go before their messages.
func Held() []holding.Held {
	return []holding.Held{
		{
			Table: "notify_attempt", By: holding.ByHandle, Where: "message IN (SELECT id FROM notify_message WHERE subject = $1)", Dated: "at",
			Each: "EXISTS (SELECT 1 FROM notify_message m WHERE m.id = notify_attempt.message AND m.subject = $1)",
		},
		{Table: "notify_message", By: holding.ByHandle, Where: "subject = $1", Dated: "at"},
		{Table: "notify_off", By: holding.ByHandle, Where: "subject = $1", Dated: "at"},
		{Table: "notify_quiet", By: holding.ByHandle, Where: "subject = $1", Dated: "at"},
	}
}

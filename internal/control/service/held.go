package service

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: what they bought, by handle.
func Held() []holding.Held {
	kept := &holding.Keeps{Class: "order", Law: "ECL 31", Until: "order+3y"}
	return []holding.Held{
		{Table: "service_change", By: holding.ByAccount, Where: "service IN (SELECT id FROM service_item WHERE account = $1)", Keeps: kept, Dated: "created_at"},
		{Table: "service_period", By: holding.ByAccount, Where: "service IN (SELECT id FROM service_item WHERE account = $1)", Keeps: kept, Dated: "period_start"},
		{Table: "service_earning", By: holding.ByAccount, Where: "service IN (SELECT id FROM service_item WHERE account = $1)", Keeps: kept, Dated: "period_start"},
		{Table: "service_item", By: holding.ByAccount, Where: "account = $1", Keeps: kept, Dated: "created_at", Clears: map[string]string{"configuration": "{}"}},
	}
}

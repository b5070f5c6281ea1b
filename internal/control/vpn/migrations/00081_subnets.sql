-- +goose Up
-- Subnets of the VPC that a gateway is for, with spaces between them; none = all of the VPC.
ALTER TABLE vpn_gateway ADD COLUMN local_subnets TEXT NOT NULL DEFAULT '';

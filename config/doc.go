// Package config describes stores, and whatever else a program is made of, in
// files: YAML, JSON or TOML, completed by the environment. A program names its
// stores, a deployment decides what they are.
//
//	cfg, err := config.Load("dk.yaml")
//	db, err := cfg.Open(ctx, "main")
//	defer cfg.Close()
//
// Start reading at [Load]. What a file may say is in docs/configuration.md,
// why it is so in docs/design/0009-configuration.md. The parts, in the order
// in which a value goes through them:
//
//	find.go                            which file applies
//	parse.go yaml.go json.go toml.go   a file becomes a tree of nodes (node.go), each with its place
//	merge.go override.go               later files, then DK_… variables, change the tree
//	extends.go                         stores inherit from others
//	subst.go resolve.go                ${…} is replaced, once
//	database.go layers.go              stores: settings checked against their backends
//	section.go decode.go               anything else: factories and tagged structs
//	open.go reload.go health.go        shared instances and their life
//	show.go schema.go example.go       what dk config prints
//	faults.go                          what is wrong anywhere in it
package config

package templates

import (
	"strings"
	"unicode"
)

// StartingSchema is the schema that init writes when it is given none: small, and
// with a comment for what comes next. folder is the last element of the new
// service's directory, after which it is named; module is its Go module path, "" for one
// that is made of the name.
func StartingSchema(folder, module string) []byte {
	name := serviceName(folder)
	if module == "" {
		module = "example.com/" + name
	}
	return []byte(strings.NewReplacer("SERVICE", name, "MODULE", module).Replace(startingSchema))
}

// serviceName makes a kebab-case name of the name of a folder.
func serviceName(folder string) string {
	var words []string
	for word := range strings.FieldsFuncSeq(strings.ToLower(folder), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		words = append(words, word)
	}
	name := strings.TrimLeft(strings.Join(words, "-"), "0123456789-")
	if name == "" {
		return "tasks"
	}
	return name
}

const startingSchema = `# yaml-language-server: $schema=.esgen/schema.json
esgen: 1
service: SERVICE
module: MODULE
description: Tasks, who takes them, and how they end.

# The thing whose history is kept. Every event carries its key.
entity:
  name: task
  key: taskId
  states: [open, started, done, dropped]

# What can happen to a task. "from" and "to" say when an event fits.
events:
  TaskOpened:
    description: Somebody wants something done.
    from: none                       # only as the first event
    to: open
    fields:
      title:    {type: string, minLength: 1, maxLength: 200}
      priority: {type: string, enum: [low, normal, high], default: normal}
      openedAt: {type: timestamp, default: now}
  TaskStarted:
    from: [open]
    to: started
    fields:
      assignee: {type: string, minLength: 1}
  TaskDone:
    from: [open, started]
    to: done
    fields:
      doneAt: {type: timestamp, default: now}
  TaskDropped:
    from: [open, started]
    to: dropped
    fields:
      reason: "string?"              # optional

# What is read: each view folds events into records.
views:
  default:                           # answers at GET / and GET /{taskId}
    description: Every task as it stands.
    events: [TaskOpened, TaskStarted, TaskDone, TaskDropped]
    fields:
      title:    string
      priority: {type: string, enum: [low, normal, high]}
      status:   {type: string, enum: [open, started, done, dropped]}
      assignee: "string?"
      openedAt: timestamp
      doneAt:   "timestamp?"
    indexes:
      status: {key: status, sort: openedAt, order: desc}   # GET /?status=open, newest first
`

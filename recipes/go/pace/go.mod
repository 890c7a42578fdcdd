module components.skerry.dev/pace

go 1.25.0

# For npm: where no heaptide.node was installed with the rest.  heaptide.h is
# found by pkg-config.
{
  "targets": [
    {
      "target_name": "heaptide",
      "sources": [
        "addon.c", "addon-ask.c", "addon-batch.c", "addon-run.c"
      ],
      "cflags": ["<!@(pkg-config --cflags heaptide)", "-fvisibility=hidden"]
    }
  ]
}

# node-gyp's door to the addons that CMakeLists.txt builds: the same sources, headers and flags.
{
  "target_defaults": {
    "sources": ["<!@(node scripts/build-native.mjs --print sources)"],
    "include_dirs": ["native"],
    "cflags": ["-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-fvisibility-inlines-hidden"],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++17"],
    "ldflags": ["-Wl,-z,nodelete"],
    "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
    "libraries": ["-ldl", "-lpthread"]
  },
  "targets": [
    {
      "target_name": "tensorrt_node_rtx",
      "defines": ["TENSORRT_NODE_FAMILY_RTX"],
      "cflags_cc": ["<!@(node scripts/build-native.mjs --print system-flags rtx)"]
    },
    {
      "target_name": "tensorrt_node_trt10",
      "defines": ["TENSORRT_NODE_FAMILY_TRT10"],
      "cflags_cc": ["<!@(node scripts/build-native.mjs --print system-flags trt10)"]
    },
    {
      "target_name": "tensorrt_node_trt11",
      "defines": ["TENSORRT_NODE_FAMILY_TRT11"],
      "cflags_cc": ["<!@(node scripts/build-native.mjs --print system-flags trt11)"]
    }
  ]
}

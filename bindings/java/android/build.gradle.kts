// The AAR of the Java package: `gradle assembleRelease` in this folder, with the Android SDK and NDK.
plugins {
  id("com.android.library") version "8.7.3"
}

val repository = file("../../..")

version = Regex("""project\(mobilebert_rt VERSION ([0-9.]+)""")
  .find(repository.resolve("CMakeLists.txt").readText())!!
  .groupValues[1]

android {
  namespace = "io.github.mobilebert_rt"
  compileSdk = 35
  ndkVersion = "27.2.12479018"

  defaultConfig {
    minSdk = 24
    consumerProguardFiles("consumer-rules.pro")
    ndk {
      abiFilters += listOf("arm64-v8a", "x86_64") // devices, and the emulator of a PC
    }
    externalNativeBuild {
      cmake {
        arguments += listOf("-DANDROID_STL=c++_static", "-DANDROID_SUPPORT_FLEXIBLE_PAGE_SIZES=ON")
        targets += "mobilebert_rt_jni"
      }
    }
  }
  compileOptions {
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
  }
  externalNativeBuild {
    cmake {
      path = file("../CMakeLists.txt")
      version = "3.22.1"
    }
  }
  sourceSets["main"].java.setSrcDirs(listOf("../src/main/java"))
}
